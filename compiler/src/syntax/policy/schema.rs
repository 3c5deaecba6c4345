//! What a policy may ask of its inputs: the attributes by name, and of what kind each is.

use super::tree::{Reference, Step, UNITS};
use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter};

/// What a value must be for a rule to see it. A value of another kind is unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Whatever it is; operators still want what they want.
    Any,
    Bool,
    Number,
    String,
    /// A text that a `when` takes for a path.
    Path,
    List(Box<Kind>),
    /// Values of one kind under keys that data chooses.
    Map(Box<Kind>),
    /// Values under keys that are known here.
    Record(BTreeMap<String, Kind>),
}

/// The attributes of the input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schema {
    pub attributes: BTreeMap<String, Kind>,
}

impl Schema {
    /// What holds where a policy declares no inputs: what the gate asks of every operation.
    #[must_use]
    pub fn standard() -> Schema {
        let texts = || Kind::List(Box::new(Kind::String));
        let map = |kind: Kind| Kind::Map(Box::new(kind));
        let attributes = [
            ("intent", Kind::String),
            ("path", Kind::Path),
            ("actor", Kind::String),
            ("caps", texts()),
            ("labels", texts()),
            ("remote", Kind::String),
            ("epoch", Kind::Number),
            ("trust", map(Kind::Any)),
            ("grants", map(Kind::Any)),
            ("groups", map(texts())),
            ("received_ms", Kind::Number),
            ("resource", Kind::String),
            ("type", Kind::String),
            ("payload", Kind::Any),
        ];
        Schema { attributes: attributes.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect() }
    }

    /// What holds where a price list declares no inputs: the standard attributes, and how much of each unit is asked for.
    #[must_use]
    pub fn of_prices() -> Schema {
        let mut schema = Schema::standard();
        schema.attributes.extend(UNITS.iter().map(|(_, input)| ((*input).to_owned(), Kind::Number)));
        schema
    }

    /// The kind of what is referred to; any where it is not declared.
    #[must_use]
    pub fn kind_of(&self, reference: &Reference) -> &Kind {
        let mut kind = self.attributes.get(&*reference.root.text).unwrap_or(&Kind::Any);
        for step in &reference.steps {
            kind = match (kind, step) {
                (Kind::Map(inner), _) => inner,
                (Kind::Record(fields), Step::Field(name)) => fields.get(&*name.text).unwrap_or(&Kind::Any),
                _ => &Kind::Any,
            };
        }
        kind
    }
}

impl Kind {
    /// Kinds that are written as one word.
    pub const WORDS: &[(&str, Kind)] = &[
        ("any", Kind::Any),
        ("bool", Kind::Bool),
        ("number", Kind::Number),
        ("string", Kind::String),
        ("path", Kind::Path),
    ];

    /// The name of the machine's kind that a value must be of, where one must be.
    #[must_use]
    pub const fn machine(&self) -> Option<&'static str> {
        match self {
            Kind::Any => None,
            Kind::Bool => Some("bool"),
            Kind::Number => Some("number"),
            Kind::String | Kind::Path => Some("string"),
            Kind::List(_) => Some("list"),
            Kind::Map(_) | Kind::Record(_) => Some("map"),
        }
    }

    /// Whether it is a text.
    #[must_use]
    pub const fn is_text(&self) -> bool {
        matches!(self, Kind::String | Kind::Path)
    }

    /// Whether values of both kinds can be equal.
    #[must_use]
    pub fn is_like(&self, other: &Kind) -> bool {
        *self == Kind::Any || *other == Kind::Any || self.machine() == other.machine()
    }
}

impl Display for Kind {
    fn fmt(&self, out: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Kind::Any => out.write_str("of any kind"),
            Kind::Bool => out.write_str("true or false"),
            Kind::Number => out.write_str("a number"),
            Kind::String => out.write_str("a string"),
            Kind::Path => out.write_str("a path"),
            Kind::List(_) => out.write_str("a list"),
            Kind::Map(_) | Kind::Record(_) => out.write_str("a map"),
        }
    }
}
