//! Topic names and filters by the wording of section 4.7, without regard to speed: the reference that `TopicName` and
//! `TopicFilter` are compared with.

#![allow(dead_code, reason = "some tests only match")]

/// No U+0000, not empty, and no longer than a two-byte length can express (4.7.3).
fn is_topic(text: &str) -> bool {
    !text.is_empty() && !text.contains('\0') && text.len() <= 65_535
}

pub fn is_name(text: &str) -> bool {
    is_topic(text) && !text.contains(['+', '#'])
}

/// Each wildcard is a level of its own, and `#` is the last one (4.7.1).
pub fn is_filter(text: &str) -> bool {
    let levels: Vec<&str> = text.split('/').collect();
    let last = levels.len() - 1;
    is_topic(text)
        && levels.iter().enumerate().all(|(place, level)| match *level {
            "+" => true,
            "#" => place == last,
            other => !other.contains(['+', '#']),
        })
}

pub fn matches(filter: &str, name: &str) -> bool {
    let hidden = name.starts_with('$') && filter.starts_with(['+', '#']);
    let filter: Vec<&str> = filter.split('/').collect();
    let name: Vec<&str> = name.split('/').collect();
    !hidden && levels_match(&filter, &name)
}

fn levels_match(filter: &[&str], name: &[&str]) -> bool {
    match (filter, name) {
        // Any number of levels, including none, which is why the parent matches.
        (["#"], _) => true,
        ([], []) => true,
        (["+", filter @ ..], [_, name @ ..]) => levels_match(filter, name),
        ([a, filter @ ..], [b, name @ ..]) => a == b && levels_match(filter, name),
        _ => false,
    }
}
