//! Columns: how a fold declares, by rows of its own, with which columns databases show its other rows.

/// The path of the rows that declare.
pub const PATH: &str = "kerai/columns";

macro_rules! types {
    ($($kind:ident $name:literal $about:literal;)+) => {
        /// The type of a column. A value of another kind is null there, and whole in the row's own value.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Type { $(#[doc = $about] $kind),+ }

        impl Type {
            pub const ALL: &[Type] = &[$(Type::$kind),+];

            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Type::$kind => $name),+ }
            }
        }
    };
}

types! {
    Text "text" "a text";
    Integer "integer" "a whole number of 64 bits";
    Number "number" "an exact number, as far as the database has such";
    Float "float" "a number as binary64";
    Boolean "boolean" "true or false";
    Json "json" "whatever it is, as JSON";
}
