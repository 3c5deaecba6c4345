//! THE table of host words: words with effects on the world, which run in a session and are part of no program.

/// A word that does something outside of the stack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostWord {
    pub name: &'static str,
    /// What it takes and leaves; what stands in parentheses may be absent.
    pub effect: &'static str,
    pub about: &'static str,
}

macro_rules! host_words {
    ($($name:literal $effect:literal $about:literal;)+) => {
        /// All host words, in the order of the table.
        pub const ALL: &[HostWord] = &[$(HostWord { name: $name, effect: $effect, about: $about }),+];
    };
}

host_words! {
    "csv.import" "path -- dataset" "reads a CSV file, a folder of them, or a zip archive into tables; the columns' types are inferred";
    "csv.export" "table (path) -- (text)" "writes a table, or all of a dataset, as CSV: to a file or a folder, or as text where no path is given";
    "sql" "text -- table" "what a query selects from the imported tables; of any other statement how many rows it changed";
    "table.select" "dataset name -- table" "a table of a dataset by its name";
    "table.rows" "table -- list" "the rows of a table as maps";
    "table.columns" "table -- list" "the names of a table's columns with their types";
    "columns.pick" "table names -- table" "a table with these columns alone, in this order";
    "postgres.ping" "(host) -- text" "whether a PostgreSQL server answers, and its version";
    "postgres.query" "(host) text -- table" "what a query selects on a PostgreSQL server";
    "postgres.tables" "(host) -- list" "the tables of a PostgreSQL database with their sizes";
    "postgres.rows" "(host) name -- table" "the rows of a table on a PostgreSQL server";
    "project.export" "path --" "writes the project's sources and its definitions of words into one file";
    "project.import" "path folder --" "makes a project of such a file";
    "build" "path -- list" "builds sources: path, kind and root of each";
    "verify" "stream -- map" "computes everything of a stream again and compares";
    "workspace.list" "-- list" "the sessions that are kept";
    "workspace.new" "name --" "goes on in a new, empty session";
    "workspace.load" "name --" "goes on in another session";
    "workspace.save" "name --" "keeps a copy of the session under a name";
    "help" "(name) --" "what a word does; without a name, all words";
    "see" "name --" "what a word is: its effect and its definition";
    "words" "--" "all words in sight";
}

/// The host word of a name.
#[must_use]
pub fn word(name: &str) -> Option<&'static HostWord> {
    ALL.iter().find(|word| word.name == name)
}
