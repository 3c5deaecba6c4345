//! Source sections as bytes: text or hexadecimal, with directives for what is large or no text.

use crate::shipped::PROGRAMS;

/// A line that begins with this is a directive, and the newlines around it are no content.
const MARK: char = '@';

/// Beyond this a case is a mistake: no limit on data stands so high.
const LONGEST: usize = 256 << 20;

/// The bytes of a text source. Lines are joined by newlines, except beside a directive:
/// `@repeat COUNT TEXT` stands for the text so many times, `@bytes HEX` for bytes that are no text, and
/// `@program PATH` for a program that ships.
///
/// # Errors
/// What is wrong with a directive.
pub fn text(content: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut after_line = false;
    for line in content.split('\n') {
        match directive(line, |text| Ok(text.as_bytes().to_vec()), &mut bytes)? {
            true => after_line = false,
            false => {
                if after_line {
                    bytes.push(b'\n');
                }
                bytes.extend_from_slice(line.as_bytes());
                after_line = true;
            }
        }
    }
    Ok(bytes)
}

/// The bytes of a hexadecimal source. White space is free, `#` begins a comment up to the line's end,
/// `"abc"` stands for the bytes of the text, and `@repeat COUNT HEX` for the bytes so many times.
///
/// # Errors
/// What is not hexadecimal, or wrong with a directive.
pub fn hexadecimal(content: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    for line in content.split('\n') {
        if !directive(line, hexadecimal_line, &mut bytes)? {
            bytes.extend(hexadecimal_line(line)?);
        }
    }
    Ok(bytes)
}

fn hexadecimal_line(line: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = line;
    while let Some(first) = rest.chars().next() {
        match first {
            '#' => break,
            ' ' => rest = rest.trim_start_matches(' '),
            '"' => {
                let (quoted, after) = rest
                    .strip_prefix('"')
                    .and_then(|rest| rest.split_once('"'))
                    .ok_or(format!("no closing quote in `{line}`"))?;
                bytes.extend_from_slice(quoted.as_bytes());
                rest = after;
            }
            _ => {
                let pair = rest.get(..2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
                bytes.push(
                    pair.filter(|_| first != '+')
                        .ok_or(format!("`{rest}` does not begin with two hexadecimal digits"))?,
                );
                rest = rest.get(2..).unwrap_or_default();
            }
        }
    }
    Ok(bytes)
}

/// Appends what a directive stands for; false where the line is none.
fn directive(line: &str, read: fn(&str) -> Result<Vec<u8>, String>, bytes: &mut Vec<u8>) -> Result<bool, String> {
    let Some(directive) = line.strip_prefix(MARK) else { return Ok(false) };
    let wrong = || format!("`{line}` is no directive: write `@repeat COUNT TEXT`, `@bytes HEX` or `@program PATH`");
    let (name, rest) = directive.split_once(' ').ok_or_else(wrong)?;
    match name {
        "bytes" => bytes.extend(hexadecimal_line(rest)?),
        "repeat" => {
            let (count, unit) = rest.split_once(' ').ok_or_else(wrong)?;
            let (count, unit) = (count.parse::<usize>().map_err(|_| wrong())?, read(unit)?);
            if count.checked_mul(unit.len()).is_none_or(|length| length > LONGEST) {
                return Err(format!("`{line}` stands for more than {LONGEST} bytes"));
            }
            bytes.extend(unit.repeat(count));
        }
        "program" => {
            let (_, program) = PROGRAMS.iter().find(|(path, _)| *path == rest).ok_or_else(|| {
                let paths: Vec<&str> = PROGRAMS.iter().map(|(path, _)| *path).collect();
                format!("no program `{rest}` ships: there are {}", paths.join(", "))
            })?;
            bytes.extend_from_slice(program.as_bytes());
        }
        _ => return Err(wrong()),
    }
    Ok(true)
}

/// Bytes in hexadecimal, 32 a line.
#[must_use]
pub fn in_hexadecimal(bytes: &[u8]) -> String {
    let line = |line: &[u8]| line.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    bytes.chunks(32).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
    use super::*;

    #[test]
    fn text_has_newlines_between_lines_but_not_beside_directives() {
        assert_eq!(text("[1,\n2]").unwrap(), b"[1,\n2]");
        assert_eq!(text("[\n@repeat 3 1,\n1]").unwrap(), b"[1,1,1,1]");
        assert_eq!(text("@bytes 22 ff 22").unwrap(), [0x22, 0xff, 0x22]);
        assert_eq!(text("").unwrap(), b"");
        assert!(text("@again 3 x").unwrap_err().contains("no directive"));
        assert!(text("@repeat 99999999999 x").unwrap_err().contains("more than"));
    }

    #[test]
    fn hexadecimal_takes_comments_quotes_and_repeats() {
        assert_eq!(hexadecimal("82 # a list\n61\"a\" 63 \"日\"").unwrap(), b"\x82\x61a\x63\xe6\x97\xa5");
        assert_eq!(hexadecimal("@repeat 3 81\n00").unwrap(), [0x81, 0x81, 0x81, 0]);
        assert!(hexadecimal("8").is_err());
        assert!(hexadecimal("+8").is_err());
        assert!(hexadecimal("\"a").is_err());
    }

    #[test]
    fn output_reads_back() {
        let bytes: Vec<u8> = (0..=255).collect();
        assert_eq!(hexadecimal(&in_hexadecimal(&bytes)).unwrap(), bytes);
    }
}
