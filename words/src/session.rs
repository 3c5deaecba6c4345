//! What a session keeps: every change of its stack is written before the next word is run.

use crate::database::{Database, fault};
use crate::error::Done;
use crate::item::{Content, Item};
use kerai_compiler::Span;
use serde_json::Value;
use sqlx::{Connection, Row};

type Cells = (i64, String, Option<Vec<u8>>, Option<String>, String);

impl Database {
    /// The items of a session, the number of its next one, and its definitions.
    pub(crate) async fn load(&mut self, name: &str) -> Done<(Vec<Item>, i64, Vec<String>)> {
        let here = Span::default();
        let next: Option<i64> = sqlx::query_scalar("SELECT next FROM kerai_session WHERE name = ?")
            .bind(name)
            .fetch_optional(&mut self.connection)
            .await
            .map_err(|cause| fault(here, &cause))?;
        let cells: Vec<Cells> =
            sqlx::query_as("SELECT id, kind, value, reference, about FROM kerai_item WHERE session = ? ORDER BY place")
                .bind(name)
                .fetch_all(&mut self.connection)
                .await
                .map_err(|cause| fault(here, &cause))?;
        let items = cells.into_iter().filter_map(|(id, kind, value, reference, about)| {
            let about: Value = serde_json::from_str(&about).ok()?;
            Some(Item { id, content: Content::of_parts(&kind, value, reference, &about)? })
        });
        let items = items.collect();
        let definitions = sqlx::query("SELECT source FROM kerai_definition WHERE session = ? ORDER BY rowid")
            .bind(name)
            .fetch_all(&mut self.connection)
            .await
            .map_err(|cause| fault(here, &cause))?;
        let definitions = definitions.iter().filter_map(|row| row.try_get(0).ok()).collect();
        Ok((items, next.unwrap_or(1), definitions))
    }

    /// Writes what has changed: all or nothing, even if the process is killed.
    pub(crate) async fn save(&mut self, name: &str, items: &[Item], kept: usize, next: i64) -> Done {
        let work = async {
            let mut transaction = self.connection.begin().await?;
            sqlx::query(
                "INSERT INTO kerai_session VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET next = excluded.next",
            )
            .bind(name)
            .bind(next)
            .execute(&mut *transaction)
            .await?;
            sqlx::query("DELETE FROM kerai_item WHERE session = ? AND place >= ?")
                .bind(name)
                .bind(kept as i64)
                .execute(&mut *transaction)
                .await?;
            for (place, item) in items.iter().enumerate().skip(kept) {
                let (value, reference, about) = item.content.parts();
                sqlx::query("INSERT INTO kerai_item VALUES (?, ?, ?, ?, ?, ?, ?)")
                    .bind(name)
                    .bind(place as i64)
                    .bind(item.id)
                    .bind(item.content.kind())
                    .bind(value)
                    .bind(reference)
                    .bind(about.to_string())
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await
        };
        work.await.map_err(|cause| fault(Span::default(), &cause))
    }

    pub(crate) async fn define(&mut self, session: &str, name: &str, source: &str) -> Done {
        sqlx::query("INSERT OR REPLACE INTO kerai_definition VALUES (?, ?, ?)")
            .bind(session)
            .bind(name)
            .bind(source)
            .execute(&mut self.connection)
            .await
            .map(drop)
            .map_err(|cause| fault(Span::default(), &cause))
    }

    /// The names of the sessions that are kept.
    pub(crate) async fn sessions(&mut self) -> Done<Vec<String>> {
        let names = sqlx::query_scalar("SELECT name FROM kerai_session ORDER BY name").fetch_all(&mut self.connection);
        names.await.map_err(|cause| fault(Span::default(), &cause))
    }

    /// Keeps a copy of a session under another name.
    pub(crate) async fn copy(&mut self, from: &str, to: &str) -> Done {
        let work = async {
            let mut transaction = self.connection.begin().await?;
            for sql in [
                "DELETE FROM kerai_item WHERE session = ?2 AND ?1 <> ?2",
                "DELETE FROM kerai_definition WHERE session = ?2 AND ?1 <> ?2",
                "INSERT OR REPLACE INTO kerai_session SELECT ?2, next FROM kerai_session WHERE name = ?1",
                "INSERT OR REPLACE INTO kerai_item SELECT ?2, place, id, kind, value, reference, about FROM kerai_item WHERE session = ?1",
                "INSERT OR REPLACE INTO kerai_definition SELECT ?2, name, source FROM kerai_definition WHERE session = ?1",
            ] {
                sqlx::query(sql).bind(from).bind(to).execute(&mut *transaction).await?;
            }
            transaction.commit().await
        };
        work.await.map_err(|cause| fault(Span::default(), &cause))
    }
}
