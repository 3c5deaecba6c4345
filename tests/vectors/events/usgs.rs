//! Reports of earthquakes that are corrected later: the latest stays, in whatever order they come.

use super::{event, in_any_order, program, ulid};
use crate::folder::Folder;
use crate::judge::Report;
use crate::keep;
use kerai_compiler::Language;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

pub fn run(folder: &Folder, report: &mut Report) {
    let files = folder.files();
    let read = |ending: &str| {
        let file = files.iter().find(|file| file.extension() == ending)?;
        serde_json::from_str::<Json>(&file.text()).ok()
    };
    let (Some(feed), Some(expected)) = (read("geojson"), read("json")) else {
        return report.fail("-", "-", "a feed and what is expected of it", "one is missing");
    };
    match found(&feed, report) {
        Ok(found) => {
            for name in ["features", "by_net", "max_sig"] {
                report.equal("earthquakes.geojson", name, &expected[name], &found[name]);
            }
        }
        Err(why) => report.fail("earthquakes.geojson", "-", "a state", why),
    }
}

fn found(feed: &Json, report: &mut Report) -> Result<Json, String> {
    let mut events = Vec::new();
    for (number, feature) in (0..).zip(feed["features"].as_array().ok_or("no features")?) {
        let updated = feature["properties"]["updated"].as_u64().unwrap_or(0);
        events.push(event(&ulid(updated, number), feature));
        // An earlier report, which must never be the one that stays, however it comes.
        let mut earlier = feature.clone();
        earlier["properties"]["updated"] = json!(updated - 1);
        earlier["properties"]["net"] = json!("zz");
        earlier["properties"]["sig"] = json!(0);
        events.push(event(&ulid(updated + 1, number), &earlier));
    }
    report.keep("usgs", || keep::folded("yaml", include_str!("usgs.yaml"), &events));
    let rows = in_any_order(&program(Language::Yaml, include_str!("usgs.yaml"))?, &events)?;
    let mut nets: BTreeMap<String, u64> = BTreeMap::new();
    let quakes: Vec<&Json> = rows.iter().filter(|((path, _), _)| path == "quakes").map(|(_, value)| value).collect();
    for quake in &quakes {
        *nets.entry(quake["properties"]["net"].as_str().unwrap_or_default().to_owned()).or_default() += 1;
    }
    let strongest = rows.get(&("strongest".to_owned(), String::new())).cloned().unwrap_or_default();
    Ok(json!({ "features": quakes.len(), "by_net": nets, "max_sig": strongest }))
}
