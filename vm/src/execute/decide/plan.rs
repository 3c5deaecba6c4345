//! Plans: what is left of a policy's code once it is known how it goes on wherever that doesn't depend on the request.

use crate::bytecode::Builtin;

/// How deep calls and terms of a plan nest. What nests deeper has no plan, and the machine decides.
pub(super) const DEPTH: u16 = 64;

/// So many nodes a plan has at most.
pub(super) const NODES: usize = 1 << 20;

/// A term's number in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TermId(pub(super) u32);

/// A node's number in its plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NodeId(pub(super) u32);

/// A value that depends on nothing but the request. Equal terms have one number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Term {
    Nil,
    Bool(bool),
    Integer(i64),
    /// by its number in the program
    Constant(u32),
    /// what the request holds under a constant
    Attribute(u32),
    /// by the built-in's number
    Builtin(u32, Vec<TermId>),
    Not(TermId),
    Equal(TermId, TermId),
    /// a list of values
    List(Vec<TermId>),
}

impl Term {
    /// The terms that it is made of.
    pub(super) fn parts(&self) -> Vec<TermId> {
        match self {
            Term::Nil | Term::Bool(_) | Term::Integer(_) | Term::Constant(_) | Term::Attribute(_) => Vec::new(),
            Term::Builtin(_, parts) | Term::List(parts) => parts.clone(),
            Term::Not(part) => vec![*part],
            Term::Equal(left, right) => vec![*left, *right],
        }
    }

    /// Whether it is the same for all requests.
    pub(super) const fn is_constant(&self) -> bool {
        matches!(self, Term::Nil | Term::Bool(_) | Term::Integer(_) | Term::Constant(_))
    }
}

/// The lists that a policy fills with ids of rules, in the order in which it makes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ListId {
    First,
    Second,
}

/// What is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Check {
    /// whether the term is neither nil nor false
    Truth(TermId),
    Equal(TermId, TermId),
    Less(TermId, TermId),
    AtMost(TermId, TermId),
    /// whether the list has an id in it
    Filled(ListId),
}

/// What is done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Check {
        check: Check,
        yes: NodeId,
        no: NodeId,
    },
    /// goes to the last of the pieces whose text is at most the term's; what is no text goes elsewhere, where that is said
    Search {
        term: TermId,
        texts: u32,
        otherwise: Option<NodeId>,
    },
    /// does what begins at a node, until it is done
    Call {
        begin: NodeId,
        next: NodeId,
    },
    /// puts a rule, by its rank among the ids, into a list
    Note {
        list: ListId,
        rule: u32,
        next: NodeId,
    },
    /// the end of what was called
    Done,
    /// the decision, with the list of its rules; without a list no rule decided
    Answer {
        is_allowed: bool,
        list: Option<ListId>,
    },
}

/// Where one piece of a search begins, and what is done there. Before the first one there is a piece without a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pieces {
    pub(super) first: NodeId,
    /// Ascending, by the number of the constant.
    pub(super) others: Vec<(u32, NodeId)>,
}

/// A policy's code, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plan {
    pub(super) terms: Vec<Term>,
    pub(super) nodes: Vec<Node>,
    pub(super) searches: Vec<Pieces>,
    pub(super) begin: NodeId,
    /// Numbers of the program's rules in the order of their ids.
    pub(super) ranks: Vec<u32>,
    /// What all instructions on the longest way cost at most, beside what depends on the request.
    pub(super) gas: u64,
    pub(super) memory: u64,
}

/// Whether a built-in's work is bounded whatever it is given.
pub(super) const fn is_cheap(builtin: Builtin) -> bool {
    matches!(builtin, Builtin::TotalField | Builtin::TotalOf | Builtin::TotalSize)
}
