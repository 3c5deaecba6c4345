//! The library against stock Lua 5.4 on generated calls: equal results, and a trap exactly where Lua raises an error.
//! What differs on purpose is named in each test.
//!
//! `KERAI_SEED` names another seed, `KERAI_LONG=1` asks for ten times as many calls.

mod format;
mod generate;
mod machine;
mod numbers;
mod oracle;
mod patterns;
mod text;
