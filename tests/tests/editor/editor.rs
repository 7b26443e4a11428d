//! An editor with the fixture open. A place is written as the text around it with `$0` where the cursor is; an answer as the
//! lines that it is about, with `$0` before the name.

use super::fixture::Fixture;
use super::server::Server;
use serde_json::{Value, json};
use std::collections::BTreeMap;

pub(crate) struct Editor {
    server: Server,
    files: BTreeMap<String, String>,
}

/// Something to do in a file: there, `find` is replaced by `with`, which has the cursor in it.
#[derive(Clone, Copy)]
pub(crate) struct At<'a> {
    pub(crate) file: &'a str,
    pub(crate) find: &'a str,
    pub(crate) with: &'a str,
}

impl Editor {
    pub(crate) fn open(mut server: Server, fixture: Fixture) -> Self {
        for (file, text) in &fixture.files {
            server.set(file, text);
        }
        Editor { server, files: fixture.files }
    }

    /// The labels of what is offered.
    pub(crate) fn completions(&mut self, at: At<'_>) -> Vec<String> {
        self.offered(at).into_iter().map(|(label, _)| label).collect()
    }

    /// The same without what is there anywhere: keywords, snippets, and what any value has.
    pub(crate) fn names(&mut self, at: At<'_>) -> Vec<String> {
        const METHOD: u64 = 2;
        const FIELD: u64 = 5;
        const STRUCT: u64 = 22;
        let mut offered = self.offered(at);
        offered.retain(|(label, kind)| {
            [METHOD, FIELD, STRUCT].contains(kind)
                && !["into(", "try_into("].iter().any(|any| label.starts_with(any))
        });
        offered.into_iter().map(|(label, _)| label).collect()
    }

    fn offered(&mut self, at: At<'_>) -> Vec<(String, u64)> {
        let answer = self.ask("textDocument/completion", at, json!({}));
        let items = answer["items"].as_array().or(answer.as_array()).cloned().unwrap_or_default();
        let offered = items.iter().filter_map(|item| {
            Some((item["label"].as_str()?.to_owned(), item["kind"].as_u64().unwrap_or_default()))
        });
        offered.collect()
    }

    pub(crate) fn hover(&mut self, at: At<'_>) -> String {
        let answer = self.ask("textDocument/hover", at, json!({}));
        answer["contents"]["value"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn definition(&mut self, at: At<'_>) -> Vec<String> {
        let answer = self.ask("textDocument/definition", at, json!({}));
        self.places(&answer)
    }

    pub(crate) fn references(&mut self, at: At<'_>) -> Vec<String> {
        let more = json!({ "context": { "includeDeclaration": true } });
        let answer = self.ask("textDocument/references", at, more);
        self.places(&answer)
    }

    /// The lines that are different then, as they are then.
    pub(crate) fn rename(&mut self, at: At<'_>, name: &str) -> Vec<String> {
        let answer = self.ask("textDocument/rename", at, json!({ "newName": name }));
        let mut changed = Vec::new();
        for document in answer["documentChanges"].as_array().into_iter().flatten() {
            let Some(file) = self.file(&document["textDocument"]["uri"]) else {
                changed.push(format!("elsewhere: {document}"));
                continue;
            };
            let mut lines: Vec<String> = self.files[&file].lines().map(str::to_owned).collect();
            let mut edits: Vec<(usize, usize, usize, String)> = Vec::new();
            for edit in document["edits"].as_array().into_iter().flatten() {
                let range = &edit["range"];
                let new = edit["newText"].as_str().unwrap_or_default().to_owned();
                edits.push((
                    number(&range["start"]["line"]),
                    number(&range["start"]["character"]),
                    number(&range["end"]["character"]),
                    new,
                ));
            }
            edits.sort_by(|a, b| b.cmp(a));
            for (line, from, to, new) in &edits {
                lines[*line].replace_range(from..to, new);
            }
            edits.dedup_by_key(|edit| edit.0);
            changed.extend(edits.iter().map(|edit| format!("{file}: {}", lines[edit.0].trim())));
        }
        changed.sort();
        changed
    }

    /// What is underlined in a file, with the message.
    pub(crate) fn diagnostics(&mut self, file: &str) -> Vec<(String, String)> {
        let text = self.files[file].clone();
        self.diagnostics_of(file, &text)
    }

    pub(crate) fn diagnostics_with(&mut self, at: At<'_>) -> Vec<(String, String)> {
        let text = self.changed(at).replace("$0", "");
        self.server.set(at.file, &text);
        let found = self.diagnostics_of(at.file, &text);
        self.put_back(at.file);
        found
    }

    fn diagnostics_of(&mut self, file: &str, text: &str) -> Vec<(String, String)> {
        let params = json!({ "textDocument": { "uri": self.server.uri(file) } });
        let answer = self.server.request("textDocument/diagnostic", &params);
        let items = answer["items"].as_array().cloned().unwrap_or_default();
        let found = items.iter().map(|item| {
            let range = &item["range"];
            let line = text.lines().nth(number(&range["start"]["line"])).unwrap_or_default();
            let (from, to) = (number(&range["start"]["character"]), number(&range["end"]["character"]));
            let message = item["message"].as_str().unwrap_or_default();
            (line.get(from..to).unwrap_or(line).to_owned(), message.to_owned())
        });
        found.collect()
    }

    /// Asks about a place, and puts the file back as it is.
    fn ask(&mut self, method: &str, at: At<'_>, mut params: Value) -> Value {
        let text = self.changed(at);
        let cursor = text.find("$0").unwrap_or_else(|| panic!("there is no cursor in `{}`", at.with));
        self.server.set(at.file, &text.replace("$0", ""));
        let before = &text[..cursor];
        let character = before.len() - before.rfind('\n').map_or(0, |end| end + 1);
        params["textDocument"] = json!({ "uri": self.server.uri(at.file) });
        params["position"] = json!({ "line": before.matches('\n').count(), "character": character });
        let answer = self.server.request(method, &params);
        self.put_back(at.file);
        answer
    }

    fn changed(&self, at: At<'_>) -> String {
        let text = &self.files[at.file];
        let count = text.matches(at.find).count();
        assert_eq!(count, 1, "`{}` is in {} {count} times", at.find, at.file);
        text.replace(at.find, at.with)
    }

    fn put_back(&mut self, file: &str) {
        self.server.set(file, &self.files[file]);
    }

    fn file(&self, uri: &Value) -> Option<String> {
        let uri = uri.as_str()?;
        self.files.keys().find(|file| self.server.uri(file) == uri).cloned()
    }

    /// The lines of the fixture that locations are in.
    fn places(&self, locations: &Value) -> Vec<String> {
        let locations = locations.as_array().cloned().unwrap_or_default();
        let places = locations.iter().map(|location| {
            let (uri, range) = match location.get("targetUri") {
                Some(uri) => (uri, &location["targetSelectionRange"]),
                None => (&location["uri"], &location["range"]),
            };
            let Some(file) = self.file(uri) else { return format!("elsewhere: {uri}") };
            let line = self.files[&file].lines().nth(number(&range["start"]["line"])).unwrap_or_default();
            let mut line = line.to_owned();
            line.insert_str(number(&range["start"]["character"]).min(line.len()), "$0");
            format!("{file}: {}", line.trim())
        });
        let mut places: Vec<String> = places.collect();
        places.sort();
        places.dedup();
        places
    }
}

fn number(value: &Value) -> usize {
    value.as_u64().and_then(|number| usize::try_from(number).ok()).unwrap_or_default()
}
