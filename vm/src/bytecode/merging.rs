//! What a fold says beside its code: in which order it takes operations, what parts its state, and what its joins keep.

use super::ProgramKind;
use crate::limit;
use crate::refusal::Code;
use std::collections::BTreeMap;

macro_rules! orders {
    ($($(#[$mark:meta])* $order:ident $name:literal $about:literal;)+) => {
        /// In which order a fold takes operations.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub enum Order { $($(#[$mark])* #[doc = $about] $order),+ }

        impl Order {
            pub const ALL: &[Order] = &[$(Order::$order),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Order::$order => $name),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Order::$order => $about),+ }
            }
        }
    };
}

orders! {
    Join "join" "any order: what is merged is joined, and a certificate says why that is safe";
    #[default] Ulid "ulid" "by ULID, then the hash of the content, then op id: a late operation comes where it belongs";
    Commit "commit" "by position in the log: a late operation comes last, and may know when it was received";
}

macro_rules! classes {
    ($($class:ident $name:literal $about:literal;)+) => {
        /// What a lawful join may be used for, the strongest first.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Class { $(#[doc = $about] $class),+ }

        impl Class {
            pub const ALL: &[Class] = &[$(Class::$class),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Class::$class => $name),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Class::$class => $about),+ }
            }
        }
    };
}

classes! {
    Lattice "lattice" "order, duplicates and batches don't matter";
    Monoid "monoid" "order and batches don't matter, and parts must be disjoint";
}

macro_rules! grounds {
    ($($ground:ident $name:literal [$($number:ident)*] $about:literal;)+) => {
        /// By what a class is known.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Grounds { $(#[doc = $about] $ground { $($number: u64),* }),+ }

        impl Grounds {
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Grounds::$ground { .. } => $name),+ }
            }

            /// The numbers behind the name.
            #[must_use]
            pub fn numbers(self) -> Vec<u64> {
                match self { $(Grounds::$ground { $($number),* } => vec![$($number),*]),+ }
            }

            /// The grounds of a name and its numbers.
            #[must_use]
            pub fn of(name: &str, numbers: &[u64]) -> Option<Grounds> {
                match name {
                    $($name => match numbers {
                        &[$($number),*] => Some(Grounds::$ground { $($number),* }),
                        _ => None,
                    },)+
                    _ => None,
                }
            }
        }
    };
}

grounds! {
    Construction "construction" [] "`join` is composed of lattices that are known, which is seen in its code";
    Exhaustion "exhaustion" [states] "`join` has this many states, and the laws were checked on all of them";
    Tested "tested" [trials seed] "the laws were tried so many times, on operations that follow from the seed";
}

/// A claim about a fold's joins, never believed: what can be derived is derived again, what was tried is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Certificate {
    pub class: Class,
    pub grounds: Grounds,
}

/// What a fold says beside its code. What it leaves out is not encoded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Merging {
    pub order: Order,
    /// The names from an operation to the value by which the state falls into parts; none where it does not.
    pub key: Vec<String>,
    pub certificate: Option<Certificate>,
}

impl Merging {
    /// What of it a program can't have, if it is of this kind and has these exports.
    #[must_use]
    pub fn fault<T>(&self, kind: ProgramKind, exports: &BTreeMap<String, T>) -> Option<Code> {
        let is_fold = kind == ProgramKind::Fold;
        let is_join = is_fold && ["lift", "join"].into_iter().all(|name| exports.contains_key(name));
        let is_far = self.key.len() as u64 > limit::PROGRAM_KEY.value || self.key.iter().any(String::is_empty);
        if is_far || (!self.key.is_empty() && !is_fold) {
            return Some(Code::PROGRAM_KEY);
        }
        if (self.order != Order::Ulid && !is_fold) || (self.order == Order::Join && !is_join) {
            return Some(Code::PROGRAM_ORDER);
        }
        (self.certificate.is_some() && self.order != Order::Join).then_some(Code::PROGRAM_CERTIFICATE)
    }
}
