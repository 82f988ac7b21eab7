//! One stylesheet out of `style/`.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// These come first, in this order: what they define is used or overridden by the rest.
const FIRST: [&str; 2] = ["tokens.css", "base.css"];

/// All of `folder` in a fixed order, without comments. A folder that is not there is an empty stylesheet.
pub fn bundle(folder: &Path) -> Result<String> {
    let mut bundle = String::new();
    for file in files(folder)? {
        let css =
            std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        bundle.push_str(&squeeze(&css));
    }
    Ok(bundle)
}

pub fn files(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?
        .into_iter()
        .filter(|path| path.extension().is_some_and(|it| it == "css"))
        .collect();
    files.sort_by_cached_key(|path| {
        let name = path.file_name().unwrap_or_default().to_owned();
        (FIRST.iter().position(|first| name == *first).unwrap_or(FIRST.len()), name)
    });
    Ok(files)
}

/// Drops comments, indentation and empty lines; strings stay as they are. Compression does the rest.
fn squeeze(css: &str) -> String {
    let mut bare = String::with_capacity(css.len());
    let mut rest = css;
    while let Some(at) = rest.find(['"', '\'', '/']) {
        bare.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = if let Some(comment) = rest.strip_prefix("/*") {
            let length = comment.find("*/").map_or(rest.len(), |end| end + 4);
            bare.push(' ');
            rest = &rest[length..];
            continue;
        } else if rest.starts_with('/') {
            1
        } else {
            string_length(rest)
        };
        bare.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    bare.push_str(rest);
    bare.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .fold(String::new(), |all, line| all + line + "\n")
}

/// Bytes of the quoted string that `css` begins with, quotes included.
fn string_length(css: &str) -> usize {
    let quote = css.as_bytes()[0];
    let mut escaped = false;
    for (at, byte) in css.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            _ if byte == quote => return at + 1,
            _ => {}
        }
    }
    css.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_go_and_strings_stay() {
        let css = "/* a \" quote */\n.a {\n  content: \"/* kept */ \\\" \";\n}\n.b { color: red /* why */; width: calc(1px / 2) }";
        let want = ".a {\ncontent: \"/* kept */ \\\" \";\n}\n.b { color: red  ; width: calc(1px / 2) }\n";
        assert_eq!(squeeze(css), want);
    }

    #[test]
    fn an_unfinished_comment_or_string_does_not_panic() {
        assert_eq!(squeeze("a /* b"), "a\n");
        assert_eq!(squeeze("a 'b"), "a 'b\n");
    }

    #[test]
    fn tokens_come_first_and_then_base_and_then_by_name() -> Result<()> {
        let folder = tempfile::tempdir()?;
        for name in ["zebra.css", "base.css", "alpha.css", "tokens.css", "notes.txt"] {
            std::fs::write(folder.path().join(name), format!(".{}", name.trim_end_matches(".css")))?;
        }
        assert_eq!(bundle(folder.path())?, ".tokens\n.base\n.alpha\n.zebra\n");
        Ok(())
    }
}
