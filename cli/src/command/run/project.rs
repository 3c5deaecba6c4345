//! A project's whole work: streams, ops, state, checkpoints, verification.

use crate::Global;
use crate::command::{append, materialize, stream, verify};
use crate::outcome::{Answer, Outcome};
use crate::progress::Progress;
use crate::project::Project;
use crate::store::{open, run as run_store};
use kerai_store::audit::Ask;
use std::collections::BTreeMap;
use std::path::Path;

pub fn run(folder: &Path, global: &Global) -> Outcome {
    let project = Project::open(folder)?;
    let signers = project.signers()?;
    run_store(async {
        let mut store = open(global, Some(&project)).await?;
        let mut said = Answer::Yes;
        for (name, page) in project.streams() {
            if !store.streams().await?.iter().any(|stream| stream.name == *name) {
                let (fold, policy) = (project.program(&page.fold)?, project.policy(page)?);
                stream::create(&mut store, &project, name, &fold, &policy).await?;
            }
            if let Some(ops) = &page.ops {
                let file = project.path(ops).display().to_string();
                if append::append_file(&mut store, name, &file, &signers, global).await? == Answer::No {
                    said = Answer::No;
                }
            }
            let done = materialize::materialize(&mut store, &project, name).await?;
            materialize::tell(name, &done, global);
            let mut progress = Progress::new(global.quiet || global.json);
            let told = &mut |ops, part| progress.say_part(ops, part);
            let verification = store.audit(name, &Ask::default(), told).await?;
            progress.end();
            if verify::tell(name, &verification, &BTreeMap::new(), global) == Answer::No {
                said = Answer::No;
            }
        }
        Ok(said)
    })
}
