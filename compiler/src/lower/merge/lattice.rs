//! THE table of lattices: name, the library's functions that join and read its states, and what it is for.

/// What an operation must say beside a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A value.
    Value,
    /// A value that can be a key, or several.
    Members,
    /// Members, and members that are removed.
    Removes,
    /// Members, and members that are removed by naming the operations that added them.
    NamedRemoves,
    /// `true` or `false`, and the operations that are taken back.
    Flag,
    /// A value, and the operations whose values it replaces.
    Writes,
    /// An exact number.
    Amount,
}

macro_rules! lattices {
    ($($lattice:ident $name:literal $takes:ident $join:literal $read:literal $order:expr, $about:literal;)+) => {
        /// A lattice that is made of no other.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Lattice { $(#[doc = $about] $lattice),+ }

        impl Lattice {
            pub const ALL: &[Lattice] = &[$(Lattice::$lattice),+];

            /// The name in `kind`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Lattice::$lattice => $name),+ }
            }

            #[must_use]
            pub const fn takes(self) -> Takes {
                match self { $(Lattice::$lattice => Takes::$takes),+ }
            }

            /// The function that joins two states.
            #[must_use]
            pub const fn join(self) -> &'static str {
                match self { $(Lattice::$lattice => $join),+ }
            }

            /// The function that reads a state.
            #[must_use]
            pub const fn read(self) -> &'static str {
                match self { $(Lattice::$lattice => $read),+ }
            }

            /// The function that compares two states, where of any two one is the join.
            #[must_use]
            pub const fn order(self) -> Option<&'static str> {
                match self { $(Lattice::$lattice => $order),+ }
            }

            #[must_use]
            pub const fn about(self) -> &'static str {
                match self { $(Lattice::$lattice => $about),+ }
            }
        }
    };
}

lattices! {
    Lww "lww" Value "lattice.lww" "lattice.value" Some("lattice.by_lww"),
        "the value of the last operation in the order `ulid`";
    Min "min" Value "lattice.min" "lattice.same" Some("lattice.by_min"),
        "the least value in canonical order";
    Max "max" Value "lattice.max" "lattice.same" Some("lattice.by_max"),
        "the greatest value in canonical order";
    GSet "g-set" Members "lattice.union" "lattice.members" None,
        "a set that grows";
    TwoPhaseSet "2p-set" Removes "lattice.pair" "lattice.remaining" None,
        "a set whose members are removed for good";
    OrSet "or-set" NamedRemoves "lattice.tagged" "lattice.live" None,
        "a set from which a remove takes the adds that it names";
    GCounter "g-counter" Amount "lattice.sums" "lattice.sum" None,
        "a sum that grows";
    PnCounter "pn-counter" Amount "lattice.sums" "lattice.sum" None,
        "a sum that grows and shrinks";
    MvRegister "mv-register" Writes "lattice.register" "lattice.versions" None,
        "all values that no later one replaces by name";
    EnableWins "flag-enable-wins" Flag "lattice.pair" "lattice.is_live" None,
        "true while there is a `true` that no `false` has taken back";
    DisableWins "flag-disable-wins" Flag "lattice.pair" "lattice.is_not_live" None,
        "false while there is a `false` that no `true` has taken back";
}

/// Kinds that are made of others.
pub const MAP: &str = "map-join-";
pub const PRODUCT: &str = "product";
pub const LEXICOGRAPHIC: &str = "lexicographic";
pub const GRAPH: &str = "graph";

/// What kinds that are made of others do.
pub const COMPOUNDS: &[(&str, &str)] = &[
    ("map-join-KIND", "a map from the text of `key` to the kind, as often within another as there are keys"),
    (
        PRODUCT,
        "each of `fields` by itself; what of a payload no field covers, and `ignore` does not name, is a conflict",
    ),
    (
        GRAPH,
        "nodes and edges that `rules` rewrite, in the order `ulid` or `commit`; a fold of graphs has no other kinds",
    ),
    (LEXICOGRAPHIC, "the first of `fields`, and where that is equal the next; all but the last order their states"),
];

impl Takes {
    /// What of a reducer an operation is asked for.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Takes::Value => "`value`: one value, by default the payload",
            Takes::Members => "`value`: a member, or several by `[*]`",
            Takes::Removes => "`value`: members; `remove`: members that are removed",
            Takes::NamedRemoves => {
                "`value`: members; `remove`: members that are removed; `adds`: the ULIDs of the operations whose adds are taken back"
            }
            Takes::Flag => "`value`: true or false; `adds`: the ULIDs of the operations that are taken back",
            Takes::Writes => {
                "`value`: one value, by default the payload; `adds`: the ULIDs of the operations whose writes are replaced; `concurrent`: `conflict` where several different values are one, else `keep`"
            }
            Takes::Amount => "`value`: an exact number",
        }
    }
}

impl Lattice {
    #[must_use]
    pub fn of_name(name: &str) -> Option<Lattice> {
        Lattice::ALL.iter().copied().find(|lattice| lattice.name() == name)
    }
}
