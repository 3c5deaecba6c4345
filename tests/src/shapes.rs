//! Sources of a given number of lines, of the shapes on which compilers grow slow. `bench/` measures the same.

use std::fmt::Write as _;

/// A way to write long sources.
pub struct Shape {
    pub name: &'static str,
    /// A source of about so many lines.
    pub source: fn(usize) -> String,
    /// Whether it is compiled, and not refused at every length; what is refused has to be refused as soon.
    pub is_compiled: bool,
}

const fn shape(name: &'static str, source: fn(usize) -> String) -> Shape {
    Shape { name, source, is_compiled: true }
}

const fn refused(name: &'static str, source: fn(usize) -> String) -> Shape {
    Shape { name, source, is_compiled: false }
}

pub const SHAPES: &[Shape] = &[
    shape("a fold of many kinds of events", fold),
    shape("many functions", functions),
    shape("one function of many statements", statements),
    shape("many local variables in blocks", blocks),
    shape("a chain of elseif", arms),
    shape("a chain of `..`", joined),
    shape("a table of many items", items),
    shape("a table of many fields", fields),
    shape("many tables in tables", records),
    shape("many texts, each another", texts),
    shape("one long text", text),
    shape("comments alone", comments),
    shape("many closures over the same variables", closures),
    shape("many globals", globals),
    shape("many loops with breaks", loops),
    shape("many arguments and results", calls),
    shape("constants to fold", constants),
    shape("names that are declared again and again", shadowed),
    shape("conditions of many parts", conditions),
    shape("functions that hand on what the next one gives", handed_on),
    refused("many mistakes", mistakes),
    refused("parentheses within parentheses", parentheses),
    refused("tables within tables", nested_tables),
    refused("functions within functions", nested_functions),
    refused("blocks within blocks", nested_blocks),
    refused("a sum of very many terms", sum),
    refused("blocks that are never closed", open),
    refused("brackets that close nothing", closing),
];

/// A text for each line, with a head before and a tail after them.
fn lines(count: usize, head: &str, line: impl Fn(usize, &mut String) -> std::fmt::Result, tail: &str) -> String {
    let mut source = head.to_owned();
    for number in 0..count {
        // Writing to a text does not fail.
        let _ = line(number, &mut source);
        source.push('\n');
    }
    source + tail
}

/// Lines in functions of at most so many, for a function has room for so many instructions.
fn split(
    count: usize,
    most: usize,
    head: &str,
    line: impl Fn(usize, &mut String) -> std::fmt::Result,
    tail: &str,
) -> String {
    let mut source = String::new();
    for first in (0..count).step_by(most) {
        let head = format!("function f{first}(t, x)\n{head}\n");
        let line = |number: usize, out: &mut String| line(first + number, out);
        source += &lines(most.min(count - first), &head, line, &format!("{tail}\nreturn t\nend\n"));
    }
    source + "return 1\n"
}

fn fold(count: usize) -> String {
    let mut source =
        "function fold(events)\n  local by_id = {}\n  local total = 0\n  for _, e in dpairs(events) do\n    \
                      if e.type == \"start\" then\n      by_id[e.payload.id] = { total = 0 }\n"
            .to_owned();
    for number in 0..count / 5 {
        let _ = write!(
            source,
            "    elseif e.type == \"kind.{number}\" then\n      local id = e.payload.id\n      \
             by_id[id] = {{ id = id, amount = e.payload.amount + {number}, status = \"s{}\" }}\n      \
             if by_id[id].amount > {number} then by_id[id].status = \"large\" end\n      total = total + {number}\n",
            number % 7
        );
    }
    source
        + "    end\n  end\n  emit(\"total\", \"\", total)\n  return emit_json_canonical(\"state/by_id.json\", by_id)\nend\n"
}

fn functions(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        let before = number.saturating_sub(1);
        write!(
            out,
            "function f{number}(a, b) local c = a + b if c > {number} then return c end return f{before}(c) end"
        )
    };
    lines(count, "", line, "return 1\n")
}

fn statements(count: usize) -> String {
    split(count, 5_000, "", |number, out| write!(out, "  t.a = t.b + {}", number % 9), "")
}

fn blocks(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "  do local a{number}, b{number} = t, {number} t.x = a{number}.y + b{number} end")
    };
    split(count, 4_000, "", line, "")
}

fn arms(count: usize) -> String {
    let line = |number: usize, out: &mut String| write!(out, "  elseif x == {} then t = {number}", number * 3);
    split(count, 4_000, "if x == -1 then return 0", line, "end")
}

fn joined(count: usize) -> String {
    split(count, 50, "t = x", |number, out| write!(out, "  .. \"{number}\" .. x:sub(1, 1)"), "")
}

fn items(count: usize) -> String {
    lines(count, "local t = {\n", |number, out| write!(out, "  {}, \"x\", {{}},", number * 7), "}\nreturn #t\n")
}

fn fields(count: usize) -> String {
    lines(count, "local t = {\n", |number, out| write!(out, "  key_{number} = {number},"), "}\nreturn t.key_0\n")
}

fn records(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "  {{ id = \"r{number}\", at = {{ x = {number}, y = {{ {number}, -1 }} }} }},")
    };
    split(count, 2_000, "t = {", line, "}")
}

fn texts(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "t[\"key {number}\"] = \"a text that no other line has, {number}\"")
    };
    split(count, 5_000, "", line, "")
}

fn text(count: usize) -> String {
    lines(count, "return #[[\n", |number, out| write!(out, "line {number} of a long text ] ]= \\"), "]]\n")
}

fn comments(count: usize) -> String {
    lines(count, "", |number, out| write!(out, "-- comment {number}: nothing is here"), "return 1\n")
}

fn closures(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "t[{number}] = function(x) a = a + x return a + b + c + {number} end")
    };
    split(count, 2_000, "local a, b, c = 1, 2, 3", line, "")
}

fn globals(count: usize) -> String {
    let line =
        |number: usize, out: &mut String| write!(out, "total_{0} = first + {number} first = total_{0}", number % 100);
    lines(count, "first = 0\n", line, "return first\n")
}

fn loops(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "  for i = 1, #t do if t[i] == {number} then break end t[i] = i end")
    };
    split(count, 2_000, "", line, "")
}

fn calls(count: usize) -> String {
    let line = |number: usize, out: &mut String| write!(out, "t[{number}], t.x = x({number}, x(t, \"x\", x(1, 2, 3)))");
    split(count, 2_000, "", line, "")
}

fn constants(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "t[{number}] = (1 + {number}) * 3 - 2 ^ 3 .. \"x\" .. (not true and 1 or {number})")
    };
    split(count, 5_000, "", line, "")
}

fn shadowed(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "function f(x) local x = x local x = x + {number} do local x = x return x end end")
    };
    lines(count, "", line, "return 1\n")
}

fn conditions(count: usize) -> String {
    let line = |number: usize, out: &mut String| {
        write!(out, "t.b = (t.a == {number} or t.b and t.c) and not (t.d or t.e == \"x\") or t.f ~= nil and t.a > 2")
    };
    split(count, 2_000, "", line, "")
}

fn handed_on(count: usize) -> String {
    let line = |number: usize, out: &mut String| write!(out, "function f{number}(a) return f{}(a) end", number + 1);
    lines(count, "", line, &format!("function f{count}(a) return a, a end\nreturn f0(1)\n"))
}

fn mistakes(count: usize) -> String {
    lines(count, "", |number, out| write!(out, "local x{number} = undefined_{number} + math.random()"), "")
}

fn parentheses(count: usize) -> String {
    format!("return {}1{}\n", "(\n".repeat(count), ")".repeat(count))
}

fn nested_tables(count: usize) -> String {
    format!("return {}{}\n", "{\n".repeat(count), "}".repeat(count))
}

fn nested_functions(count: usize) -> String {
    format!("return {}{}\n", "function(x) return\n".repeat(count), " end ".repeat(count))
}

fn nested_blocks(count: usize) -> String {
    format!("{}{}", "do local a = 1\n".repeat(count), " end ".repeat(count))
}

fn sum(count: usize) -> String {
    lines(count, "local a = 1\nreturn a\n", |number, out| write!(out, "  + a * {number}"), "")
}

fn open(count: usize) -> String {
    "if true then for i = 1, 2 do while (x[{ function(\n".repeat(count)
}

fn closing(count: usize) -> String {
    "end ) ] } until\n".repeat(count)
}
