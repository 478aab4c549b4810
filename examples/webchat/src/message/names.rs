//! Names of people and groups. A name is a topic and a user name of the broker, so few characters are allowed.

/// The number of characters in a name, at most.
pub const MAX_CHARS: usize = 24;

/// Accepts letters and digits of any script, and `-`, `_`, `.` between them. So there is no `+`, `#`, `/` or `$`, which
/// have a meaning in topics, no `:`, which has one in a password file, and nothing invisible.
pub fn check(text: &str) -> Result<String, &'static str> {
    let name = text.trim();
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.is_empty() {
        Err("a name has at least one character")
    } else if name.chars().count() > MAX_CHARS {
        Err("a name has at most 24 characters")
    } else if !name.chars().all(inner) || !name.starts_with(char::is_alphanumeric) {
        Err("a name has letters and digits, and - _ . between them")
    } else {
        Ok(name.to_owned())
    }
}

/// A key that is equal for names that people would confuse.
pub fn key(name: &str) -> String {
    name.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_names_of_people() {
        for name in ["a", "Alice", "李雷", "Ольга", "J.-P", "x_1", "ひろし", &"好".repeat(24)] {
            assert_eq!(check(name).as_deref(), Ok(name));
        }
        assert_eq!(check("  Bob ").as_deref(), Ok("Bob"));
    }

    #[test]
    fn takes_nothing_that_means_something_elsewhere() {
        for name in [
            "",
            " ",
            "+",
            "#",
            "a/b",
            "$SYS",
            "a#",
            "a:b",
            "a b",
            "a\nb",
            "a\0",
            "<b>",
            "-a",
            "webchat@server",
            "a\u{202e}b",
            "a\u{200b}b",
            "..",
            "😀",
            &"x".repeat(25),
        ] {
            assert!(check(name).is_err(), "{name:?}");
        }
    }
}
