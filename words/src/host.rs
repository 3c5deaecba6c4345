//! Host words: what each takes from the stack, what it does, and what it leaves.

use crate::error::{Done, WordError};
use crate::item::{Content, columns_json};
use crate::machine::{Machine, is_alias};
use crate::table::pick;
use kerai_compiler::Span;
use kerai_compiler::lower::words as lower;
use kerai_compiler::syntax::words::{host, library};
use serde_json::Value;

impl Machine {
    /// Does what a host word does; its name is in the table.
    pub(crate) async fn act(&mut self, name: &str, span: Span) -> Done {
        if matches!(name.split('.').next(), Some("csv" | "sql" | "table" | "columns" | "postgres"))
            && name != "postgres.ping"
        {
            self.reach(span).await?;
        }
        let left = match name {
            "csv.import" => {
                let path = self.text(name, span)?;
                Some(self.csv_import(&path, span).await?)
            }
            "csv.export" => {
                let path = self.items.last().and_then(|item| item.content.as_text());
                if path.is_some() {
                    self.take(1);
                }
                let item = self.any(name, span)?;
                self.csv_export(&item, path.as_deref(), span).await?
            }
            "sql" => {
                let query = self.text(name, span)?;
                Some(self.sql(&query, span).await?)
            }
            "table.select" => {
                let table = self.text(name, span)?;
                match self.any(name, span)? {
                    Content::Dataset { path, tables } => Some(self.select(&path, &tables, &table, span).await?),
                    other @ (Content::Value { .. } | Content::Code(_) | Content::Table { .. }) => {
                        return Err(wrong_kind(name, "a dataset", other.kind(), span));
                    }
                }
            }
            "table.rows" => match self.any(name, span)? {
                Content::Table { query, columns, rows, .. } => Some(self.rows(&query, &columns, rows, span).await?),
                other @ (Content::Value { .. } | Content::Code(_) | Content::Dataset { .. }) => {
                    return Err(wrong_kind(name, "a table", other.kind(), span));
                }
            },
            "table.columns" => match self.any(name, span)? {
                Content::Table { columns, .. } => Some(json(&columns_json(&columns), span)?),
                other @ (Content::Value { .. } | Content::Code(_) | Content::Dataset { .. }) => {
                    return Err(wrong_kind(name, "a table", other.kind(), span));
                }
            },
            "columns.pick" => {
                let names = self.any(name, span)?;
                let names = names.as_texts().ok_or_else(|| wrong_kind(name, "a list of names", names.kind(), span))?;
                Some(pick(&self.any(name, span)?, &names, span)?)
            }
            "postgres.ping" => {
                let host = self.perhaps();
                Some(self.postgres_ping(host.as_deref(), span).await?)
            }
            "postgres.tables" => {
                let host = self.perhaps();
                Some(self.postgres_tables(host.as_deref(), span).await?)
            }
            "postgres.query" => {
                let query = self.text(name, span)?;
                let host = self.perhaps();
                Some(self.postgres_query(host.as_deref(), &query, "query", span).await?)
            }
            "postgres.rows" => {
                let table = self.text(name, span)?;
                let host = self.perhaps();
                let named: Vec<String> = table.split('.').map(crate::database::quoted).collect();
                let query = format!("SELECT * FROM {}", named.join("."));
                Some(self.postgres_query(host.as_deref(), &query, &table, span).await?)
            }
            _ => return self.act_on_projects(name, span).await,
        };
        left.into_iter().for_each(|content| self.push(content));
        Ok(())
    }

    async fn act_on_projects(&mut self, name: &str, span: Span) -> Done {
        let failed =
            |message: String| WordError::new("HOST", span, message, format!("`help {name}` says what it takes"));
        match name {
            "build" => {
                let path = self.text(name, span)?;
                let built = self.outside.build(&path).map_err(failed)?;
                self.push(json(&built, span)?);
            }
            "verify" => {
                let stream = self.text(name, span)?;
                let verified = self.outside.verify(&stream).map_err(failed)?;
                self.push(json(&verified, span)?);
            }
            "project.export" => {
                let path = self.text(name, span)?;
                let sources = self.definitions.iter().map(|definition| definition.source.as_str());
                let sources = sources.collect::<Vec<_>>().join("\n");
                crate::project::export(&path, &sources).map_err(failed)?;
            }
            "project.import" => {
                let folder = self.text(name, span)?;
                let path = self.text(name, span)?;
                crate::project::import(&path, &folder).map_err(failed)?;
            }
            "workspace.list" => {
                let names = self.database.sessions().await?;
                self.push(json(&Value::from(names), span)?);
            }
            "workspace.new" | "workspace.load" => {
                let session = self.text(name, span)?;
                let is_there = self.database.sessions().await?.contains(&session);
                if is_there == (name == "workspace.new") {
                    let message = if is_there {
                        format!("there is a session `{session}` already")
                    } else {
                        format!("there is no session `{session}`")
                    };
                    return Err(WordError::new("WORKSPACE", span, message, "`workspace.list` lists them"));
                }
                self.save().await?;
                self.load(&session).await?;
            }
            "workspace.save" => {
                let to = self.text(name, span)?;
                match self.session.clone() {
                    Some(from) => {
                        self.save().await?;
                        self.database.copy(&from, &to).await?;
                    }
                    None => {
                        return Err(WordError::new(
                            "WORKSPACE",
                            span,
                            "this session is not kept",
                            "begin it with `--session NAME`",
                        ));
                    }
                }
            }
            "help" | "see" => {
                let word = self.items.last().and_then(|item| item.content.as_text());
                if word.is_some() {
                    self.take(1);
                }
                self.explain(word.as_deref(), name == "see", span)?;
            }
            _ => self.explain(None, false, span)?,
        }
        Ok(())
    }

    /// The effect of a word that the session has defined; nothing where it does something outside of the stack.
    #[must_use]
    pub fn effect(&self, name: &str) -> Option<String> {
        let known = lower::lowered(&format!("{}\n", self.pure_source())).ok()?;
        known.effects.into_iter().find(|(other, _)| other == name).map(|(_, effect)| effect.to_string())
    }

    /// Says what a word is, or which there are.
    fn explain(&mut self, name: Option<&str>, is_whole: bool, span: Span) -> Done {
        let Some(name) = name else {
            let mut all: Vec<String> = self.defined().map(str::to_owned).collect();
            all.extend(library::names().map(str::to_owned));
            all.extend(host::ALL.iter().map(|word| word.name.to_owned()));
            self.outside.say(&all.join(" "));
            return Ok(());
        };
        let spelled = self.spelled(name).replace(' ', ".");
        if let Some(definition) = self.definition(name).filter(|definition| !is_alias(definition)) {
            let source = definition.source.clone();
            let effect = self.effect(name).unwrap_or_else(|| "its effect is not known".to_owned());
            self.outside.say(&format!("{name} : {effect}\n{source}"));
        } else if let Some(word) = library::word(&spelled) {
            let kind = if is_whole { "\na word of the language" } else { "" };
            self.outside.say(&format!("{} : {}   {}{kind}", word.name, word.effect, word.about));
        } else if let Some(word) = host::word(&spelled) {
            let kind = if is_whole { "\na host word: part of no program" } else { "" };
            self.outside.say(&format!("{} : {}   {}{kind}", word.name, word.effect, word.about));
        } else if library::is_library(&spelled) {
            let under = |word: &&str| word.strip_prefix(&*spelled).is_some_and(|rest| rest.starts_with('.'));
            let words: Vec<&str> =
                library::names().chain(host::ALL.iter().map(|word| word.name)).filter(under).collect();
            self.outside.say(&format!("{spelled} is a library: {}", words.join(" ")));
        } else {
            let message = format!("there is no word `{name}`");
            return Err(WordError::new("WORDS_UNKNOWN", span, message, "`words` lists all words"));
        }
        Ok(())
    }

    /// The item on the top.
    fn any(&mut self, word: &str, span: Span) -> Done<Content> {
        self.need(1, word, span)?;
        let none = || WordError::new("WORDS_UNDERFLOW", span, format!("`{word}` finds nothing"), "");
        self.take(1).pop().map(|item| item.content).ok_or_else(none)
    }

    /// The text on the top.
    fn text(&mut self, word: &str, span: Span) -> Done<String> {
        let item = self.any(word, span)?;
        item.as_text().ok_or_else(|| wrong_kind(word, "a text", item.kind(), span))
    }

    /// The text on the top, where there is one.
    fn perhaps(&mut self) -> Option<String> {
        let text = self.items.last().and_then(|item| item.content.as_text())?;
        self.take(1);
        Some(text)
    }
}

fn wrong_kind(word: &str, wanted: &str, found: &str, span: Span) -> WordError {
    let message = format!("`{word}` takes {wanted}, and finds a {found}");
    WordError::new("WORDS_KIND", span, message, format!("`help {word}` says what it takes"))
}

fn json(value: &Value, span: Span) -> Done<Content> {
    Content::of_json(value).map_err(|message| WordError::new("HOST", span, message, ""))
}
