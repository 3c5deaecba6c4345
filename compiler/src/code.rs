//! The table of an author's mistakes: every code with what is wrong, what to do, and why it is so.

macro_rules! codes {
    ($($code:ident $summary:literal, $help:literal, $page:literal;)+) => {
        /// A stable code: it never changes its meaning, and `kerai explain CODE` prints its page.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[allow(non_camel_case_types, reason = "a code is written in code as users see it")]
        pub enum Code { $($code),+ }

        impl Code {
            /// All codes, in the order of the table.
            pub const ALL: &[Code] = &[$(Code::$code),+];

            /// The code as users see it.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),+ }
            }

            /// One line: what is wrong.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $(Code::$code => $summary),+ }
            }

            /// One line: what to do.
            #[must_use]
            pub const fn help(self) -> &'static str {
                match self { $(Code::$code => $help),+ }
            }

            /// Why it is refused.
            #[must_use]
            pub const fn page(self) -> &'static str {
                match self { $(Code::$code => $page),+ }
            }
        }
    };
}

codes! {
    SOURCE_UTF8 "the source is not UTF-8",
        "save the file as UTF-8; bytes that are no text are written as escapes, `\\xff`",
        "A source is text, and the same text everywhere. Where its encoding had to be guessed, two machines could read two programs.";
    SOURCE_UNASSIGNED "the source holds a code point that Unicode does not assign",
        "remove it, or write it as an escape, `\\u{…}`",
        "A source is normalized on reading. A code point without a meaning may get one later, and with it another normal form: the program would change. Noncharacters never get one and are taken.";
    SOURCE_SIZE "the source is too large",
        "split the source",
        "Every length has a limit, so that compiling ends soon and in bounded memory.";
    SOURCE_TOKENS "the source has too many words and signs",
        "split the source; large tables of data belong into operations",
        "Every length has a limit, so that compiling ends soon and in bounded memory.";
    SOURCE_DEPTH "nested too deeply",
        "give a part a name of its own: a local variable or a function",
        "Blocks, functions, brackets and chains of operators and calls nest only so deep, so that every pass over the tree ends in bounded memory. `a .. b .. c` has two levels, and `f()()()` three.";
    IR_SYNTAX "not the IR",
        "write what `kerai build --ir` prints: nested lists that begin with a word",
        "The IR's text is for looking at a program and for tests. Everything has one form.";
    IR_SCOPE "a variable that is not declared here",
        "declare it by `let` further up in the same block or one around it",
        "A variable is seen from its declaration to the end of the block that it stands in, and declared once.";
    IR_FUNCTION "a function that is not there",
        "name a function of the program by its number",
        "Functions are numbered from 0 in the order in which they stand.";
    IR_BREAK "`break` outside of a loop",
        "remove it, or return",
        "`break` leaves the innermost loop of the function that it stands in.";
    IR_RETURN "`return` inside of an expression",
        "put the value into a variable, and return from the block around the expression",
        "An expression ends with its value. So it is known where a function may end without looking into expressions.";
    IR_TYPE "a value of another type than the variable holds",
        "give the variable a value of its type, or declare it without a type",
        "A declared type is a promise that is checked before anything runs: what is known of the value must fit it.";
    IR_ARGUMENTS "a number of arguments that the built-in does not take",
        "the reference of the library says how many",
        "Where the number is known before anything runs, it is checked then; else it is checked when the call is made.";
    IR_EXPORT "an export's name is not one",
        "use ASCII letters, digits, `_` and `.`",
        "Hosts call exports by name, so names are plain.";
    IR_DEPTH "nested too deeply",
        "give a part a name of its own: a variable or a function",
        "Every depth has a limit, so that every pass over a program ends in bounded memory.";
    IR_REGISTERS "a function with too many variables and intermediate values",
        "move a part into a function of its own, or keep the values in a table",
        "A function has at most 250 registers. Every variable in sight takes one, and so does every value of a call or a table that is being put together.";
    IR_VALUES "too many values at once",
        "build the list step by step",
        "A call takes and gives a limited number of values; a list in a variable can be longer.";
    IR_CODE "a function with too many instructions",
        "move a part into a function of its own",
        "A function has at most 65,536 instructions.";
    SOURCE_MISTAKES "too many mistakes to report",
        "correct those above, and check again",
        "Every length has a limit, that of a report too.";
    FOLD_PARAMETERS "`fold` with other parameters than the events",
        "write `function fold(events)`",
        "A fold takes the events, in order, and nothing else: what it needs to know stands in them.";
    FOLD_LOOP "a fold without its one loop over the events",
        "write declarations, then one loop `for _, e in dpairs(events) do … end`, then what emits",
        "The loop's body is what is done with each event as it comes, so a fold goes on where it stood when more events come. That is only possible where all that is done with the events is done in that one loop.";
    FOLD_DECLARATION "a statement before the fold's loop that declares nothing",
        "make it part of a `local` declaration, or move it into the loop or behind it",
        "What is declared before the loop is what the fold remembers from event to event. It is made once, when there are no events yet.";
    FOLD_LEAVES "the fold's loop is left before its end",
        "put the rest of the loop's body into an `if`",
        "Each round of the loop is a step that is run when its event comes, long after the others. There is nothing to be left.";
    FOLD_EMITS "a row is emitted for an event",
        "keep what is to be emitted in a table, and emit it behind the loop",
        "Rows show the state after all events, and are emitted by what follows the loop. A late event that comes before others would else have to take back rows.";
    FOLD_EVENTS "the events are used outside of the fold's loop",
        "keep what is needed of them in a variable that is declared before the loop",
        "A fold sees each event once, when it comes. It has no list of all events, and an event no place in one.";
    FOLD_SEES "`fold` sees a variable that is no constant",
        "declare it inside of `fold`, before the loop, or give it a value that never changes",
        "A fold is run event by event, wherever its log is. All that it remembers must be in its state, which is what it declares itself; constants and functions outside of it may be used.";
    FOLD_TOP "a statement beside the functions of a fold",
        "move it into a function; constants and functions may stand at the top level",
        "Nothing of a fold runs but `init`, `step` and `finish`, or what `fold` is split into.";
    FOLD_ORDER "an order or a key that the program can't have",
        "take it out, or give the fold what it needs: any order needs `lift` and `join`",
        "A fold takes operations in the order `ulid` unless it says another: `commit` is the order of the log, and `join` is any order, which only a fold of `lift` and `join` can take. A key is the names from an operation to the value by which the state falls into parts.";
    FOLD_LAW "a join that does not merge",
        "mend `join` so that the law holds, or write `--!order ulid` where no parts of the log are ever joined",
        "A fold of `lift` and `join` takes operations in any order, so its joins must commute and associate, and never trap. `kerai laws` shows the least states that break a law, and what each side gives.";
    YAML_SYNTAX "not YAML",
        "read the line up to the mark: what stands there can't follow what stands before; mind the indentation, and quote text that holds YAML's signs",
        "The document is read as YAML 1.2 says. Tabs can't indent, what belongs together stands in one column, and a plain scalar can't begin with a sign that means something or hold `: ` and ` #`.";
    YAML_CHARACTER "a control character in YAML",
        "write it as an escape in double quotes, `\\x00`, or remove it",
        "YAML is made of characters that can be seen. Tabs and line ends are the only control characters in it.";
    YAML_ANCHOR "an anchor or alias",
        "write the value out where it is used",
        "An alias hides what stands elsewhere in the file, and a few lines of them stand for billions of values. What is read must be what is seen.";
    YAML_TAG "a tag",
        "remove the tag; text that looks like something else goes into quotes",
        "Tags make readers construct values by rules of their own. What a value means is said by the place where it stands.";
    YAML_DIRECTIVE "a directive",
        "remove the line that begins with `%`",
        "A directive changes how the rest is read. There is one way to read these documents, YAML 1.2.";
    YAML_DOCUMENTS "several documents in one source",
        "put each document into a file of its own",
        "One file says one thing, so that nothing is overlooked behind a `---`.";
    YAML_EMPTY "there is no document",
        "write what the file should say; a mapping to begin with",
        "A source with nothing but comments and blanks says nothing, and is more likely a mistake than a wish.";
    YAML_MERGE "a merge key",
        "write the entries out",
        "`<<` is no part of YAML 1.2, and readers differ on which entry wins. What is read must be what is seen.";
    YAML_KEY "a key that is not one line of text",
        "write the key as text on one line, in quotes if need be",
        "Keys are names. Lists, maps, several lines, or nothing at all can be keys in YAML, but not here.";
    YAML_DUPLICATE "a key is there twice",
        "remove one of the two",
        "Of two values under one key a reader takes the first, the last, or none. A key counts by its text, with or without quotes.";
    YAML_PLAIN "a plain word that readers of YAML differ on",
        "write text in quotes; booleans as `true` and `false`, nothing as `null`, numbers in plain digits as in JSON",
        "One reader of YAML takes `no` for false and another for text, `010` for eight or ten, `1:30` for ninety. Only JSON's words and numbers are taken for what they say; what looks like others is refused and never guessed.";
    MERGE_SHAPE "not the shape of a merge fold",
        "write `version`, `reducers` and `emit`; the reference of lattices shows them",
        "A merge fold is a mapping: `inputs` says which operations, `reducers` how they merge, `emit` where the state goes.";
    MERGE_VERSION "the version of a merge fold",
        "write `version: 1`",
        "The version says by which rules the file is read, so that a later rule never changes what an old file means.";
    MERGE_FIELD "a field that is not there",
        "correct the name, or remove it",
        "A field that nothing looks at is a mistake: the fold would mean something else than its author believes.";
    MERGE_LATTICE "a lattice that is not there",
        "correct the name; the reference of lattices lists them",
        "A kind is a lattice of the table, `map-join-` before a kind, `product` or `lexicographic`.";
    MERGE_PATH "not a path that can be used here",
        "write names, indexes, and `[*]` at the end: `$.id`, `$['a b'][0]`, `$.tags[*]`",
        "Paths are JSONPath (RFC 9535) without slices, filters and `..`: each leads to one value, or by `[*]` at its end to those of a list.";
    MERGE_NEVER "a path that can never match",
        "correct the path",
        "No operation has what the path leads to, whatever its payload: the reducer would stay empty for ever.";
    MERGE_TWICE "two reducers on one path",
        "remove one of the two, or make one of them part of the other",
        "Where two lattices merge one value, which of them is its state? One of them must be meant.";
    MERGE_ADDS "a remove that names no adds",
        "say by `adds` where an operation lists the ULIDs of the operations that it takes back",
        "A remove can only take back what its author has seen. Where it names nothing, an add that was made at the same time would be lost, or come back, by the order in which the two arrive.";
    MERGE_KEY "the keys of a map",
        "write a `key` for each `map-join-`",
        "A map keeps a state for each key; the key's path says where an operation names it.";
    MERGE_CHAIN "a part that does not order states",
        "put it last, or use `product`",
        "A lexicographic state is that of the operation whose first part is greater. So of any two first parts one must be the greater.";
    MERGE_EMIT "what is emitted where",
        "give each `emit` a path of its own, and the `reducer` whose state it shows",
        "A row has one place. Where two states were emitted at one path, rows would meet.";
    MERGE_RULE "a rule of a graph that can't be meant",
        "name each node once, and in `right` what is kept as it is in `left`",
        "A rule removes what only its left side has and makes what only its right side has. Each edge joins two nodes of its side, and a node that is made has a label.";
    LUA_CHARACTER "a character that Lua does not know",
        "remove it; outside of strings and comments there are only names in ASCII letters, numbers and Lua's signs",
        "Lua's words are written in ASCII. Other characters may stand in strings and comments.";
    LUA_STRING_OPEN "a string without an end",
        "close the string on its line, or write `[[…]]` for text of several lines",
        "A short string ends on the line where it begins, unless the line's end is escaped by a backslash or skipped by `\\z`. A long string ends with as many `=` between its brackets as it begins with.";
    LUA_ESCAPE "an unknown or wrong escape in a string",
        "the escapes are \\a \\b \\f \\n \\r \\t \\v \\\\ \\\" \\' \\z, a line's end, \\xHH, \\DDD up to 255, and \\u{H…} below 2^31",
        "A backslash that is meant as itself is written twice.";
    LUA_COMMENT_OPEN "a comment without an end",
        "close it with `]]`, with as many `=` between as it begins with",
        "A comment that begins with `--[[` goes on over lines until its end.";
    LUA_NUMERAL_SYNTAX "not a number",
        "write digits, with a fraction and an exponent if wished: `12`, `3.5`, `1e6`, `0xff`",
        "Digits and letters that follow one another are one numeral, as in stock Lua: put a blank or a sign between a number and a name.";
    LUA_PRAGMA "an unknown wish in a `--!` comment",
        "the pragmas are `--!numeric float`, `--!order join`, `--!order ulid`, `--!order commit`, `--!key PATH` and `--!rng`, each once",
        "A comment that begins with `--!` says something about the whole source. One that is not understood is refused and never passed over, because the program would mean something else than its author believes.";
    LUA_SYNTAX "not Lua",
        "read the line up to the mark: what stands there can't follow what stands before",
        "The whole syntax of Lua 5.4 is recognized; what kerai refuses of it has codes of its own.";
    LUA_BLOCK_OPEN "a block or bracket without its end",
        "add what closes it",
        "Every `function`, `if`, `do`, `for` and `while` has an `end`, every `repeat` an `until`, every bracket its partner. Where the indentation tells which one was forgotten, that one is named.";
    LUA_ATTRIBUTE "an unknown attribute",
        "the only attribute is `<const>`",
        "Lua 5.4 knows `<const>` and `<close>`; the second is refused by a code of its own.";
    LUA_BREAK "`break` outside of a loop",
        "remove it, or write `return`",
        "`break` leaves the innermost loop of the function that it stands in.";
    LUA_VARIADIC "`...` outside of a function that takes it",
        "write `...` as the last parameter of the function",
        "Each function has its own `...`; one inside another does not see the outer one's. Put it into a table: `local all = {...}`.";
    LUA_CONST "an assignment to a constant",
        "remove `<const>`, or give the new value another name",
        "A local variable with the attribute `<const>` keeps its first value.";
    LUA_PAIRS "`pairs` visits in no set order",
        "write `dpairs`, which visits sorted keys",
        "The order of `pairs` depends on addresses, sizes and versions, so two machines could fold to two results. `dpairs` visits the keys that are there at its start, in canonical order: numbers before strings, each sorted. For a list, `ipairs` and `dpairs` visit alike.";
    LUA_NEXT "`next` follows no set order",
        "write `dpairs` for a loop, and `#dkeys(t) == 0` to ask whether a table is empty",
        "The order of `next` depends on addresses, sizes and versions, so two machines could fold to two results.";
    LUA_METATABLE "there are no metatables",
        "write a function that takes the table, and call it",
        "With metatables, reading a field or adding two values can run any code, and state that carries them has no encoding. A fold's state is plain data.";
    LUA_RAW "there is nothing to be passed by: tables have no metatables",
        "write `t[k]`, `t[k] = v`, `#t` or `a == b`",
        "`rawget`, `rawset`, `rawlen` and `rawequal` go past metatables. There are none, so the plain forms say the same.";
    LUA_COROUTINE "there are no coroutines",
        "write a loop, or a function that is called for each value",
        "A coroutine that is under way has no encoding, so state that holds one could not be saved and resumed.";
    LUA_OS "the program sees nothing of the machine it runs on",
        "take times and names from the operations: `e.ulid` orders, `e.payload` holds what was said",
        "Clocks, the environment and files differ from machine to machine, so a replay would give another result. What a fold needs to know must stand in an operation.";
    LUA_IO "the program reads and writes no files",
        "take input from the operations, and give output by `emit(path, key, value)`",
        "Files differ from machine to machine, so a replay would give another result.";
    LUA_DEBUG "there is no `debug` library",
        "give values to functions as arguments",
        "It shows positions and names, which are no part of a program: reformatting it would change its results.";
    LUA_PACKAGE "there is no `package` library",
        "put what is shared into the same source",
        "A program is one file with one root. Where it loaded others, its root would not say what it does.";
    LUA_REQUIRE "a program loads no other",
        "put what is shared into the same source; the libraries are there without `require`",
        "A program is one file with one root. Where it loaded others, its root would not say what it does.";
    LUA_LOAD "a program makes no code",
        "write a function",
        "Code that is made while a program runs is under no root and was checked by nobody.";
    LUA_DUMP "functions have no bytes",
        "keep data that says what to do, and a function that does it",
        "A function's code is part of the program; the program's root stands for it.";
    LUA_RANDOM "numbers by chance differ from run to run",
        "write `--!rng` at the top and call `rng()`, which every replay repeats",
        "`math.random` takes its seed from the machine. `rng()` takes it from the operation and the roots, so everyone who replays the log gets the same numbers.";
    LUA_COLLECTGARBAGE "memory is not the program's to see",
        "remove the call",
        "What a collector does depends on the machine and the version. Memory is counted and limited for the program, the same everywhere.";
    LUA_PRINT "a fold has no standard output",
        "give results by `emit(path, key, value)`; to look at values use `kerai eval`",
        "A program's only output are the rows that it emits, so that all of it is under the root of the state.";
    LUA_XPCALL "an error has no place to be handled in",
        "write `pcall(f, …)` and look at its second result",
        "A handler of `xpcall` runs where the error was raised, to look at the stack. A program does not see positions, so `pcall` says all there is.";
    LUA_VERSION "there is no version to ask for",
        "remove it: what a program means is fixed by its profile",
        "A program that asks for its version would have another result under another version.";
    LUA_GOTO "`goto` and labels are refused",
        "write a loop with `break`, an `if`, or a function with `return`",
        "Jumps make it hard to see, for people and for the checks, what runs how often. Every use has a plainer form: to go on with the next round put the rest into an `if`.";
    LUA_CLOSE "there is nothing to be closed",
        "remove `<close>`",
        "`<close>` calls a metamethod when a variable ends. There are no metatables, and nothing outside of the program that could be left open.";
    LUA_NUMERAL "a number that is not kept as it is written",
        "write a number within the range, with at most 18 decimal places",
        "Exact numbers have at most 18 decimal places and lie within (2^127 - 1) / 10^18, about 1.7 times 10^20. Nothing is rounded or wrapped silently, so a numeral must be exactly one of them: not more places, not a larger value, no hexadecimal fraction, which only floats have. Hexadecimal integers are the integer with these 64 bits, as in stock Lua: `0xffffffffffffffff` is -1; more than 64 bits, which stock Lua cuts off, are refused. `007`, `.5`, `5.` and `1e3` are taken. Under `--!numeric float` numerals are those of stock Lua: floats where they have a point or an exponent or do not fit 64 bits.";
    LUA_PACK "bytes are not packed by the machine's layout",
        "put values into a table, and encode it with `json.encode_canonical`",
        "`string.pack` and its kin lay values out by the machine's sizes and byte order.";
    LUA_GLOBALS "there is no table of globals",
        "use the variable by its name, or keep a table of your own",
        "All names of a program are known when it is built, so that each one that is not defined can be found.";
    LUA_ENVIRONMENT "there is no `_ENV`",
        "use the variable by its name, or keep a table of your own",
        "All names of a program are known when it is built, so that each one that is not defined can be found.";
    LUA_UNDEFINED "a variable that is defined nowhere",
        "declare it with `local`, or correct the name",
        "In stock Lua a misspelt name reads as nil and fails later or never. Here every name is a local variable, a variable that the source assigns at its top level, or one of the library's.";
    LUA_ASSIGNED "an assignment makes a variable that nobody declared",
        "write `local` before it, or assign it at the top level of the source first",
        "In stock Lua an assignment to an unknown name makes a global variable, which every other function sees. Here variables are made by `local`, or by an assignment outside of all functions.";
    LUA_LIBRARY "the library can't be changed",
        "give your function or value a name of its own",
        "What `ipairs` or `string.format` means is part of the profile. A local variable may have such a name and hides the library's.";
    LUA_MEMBER "the library has nothing of this name",
        "correct the name; the reference lists what there is",
        "The library is the part of stock Lua's that gives the same answer everywhere.";
    LUA_RNG "`rng` is there for those who ask for it",
        "write `--!rng` at the top of the source, and call it in the rounds of `fold`",
        "A program that uses numbers by chance should say so where everyone who reads it looks first. They are drawn from the operation, the policy and the fold, so every replay draws the same; they can be drawn in the rounds of `fold(events)` alone, where there is an operation: `rng(6)` gives an integer from 1 to 6, `rng(-1, 1)` one from -1 to 1, `rng()` a number below 1.";
    WORDS_TEXT_OPEN "a text that is never closed",
        "close it with the quote that it begins with, on the same line; a line's end within it is written `\\n`",
        "A text reaches from its quote to the next one of the same kind. Were it to go on over lines, a forgotten quote would swallow what follows.";
    WORDS_ESCAPE "an escape that stands for nothing",
        "write `\\n`, `\\t`, `\\r`, `\\0`, `\\\\`, `\\'`, `\\\"`, `\\xHH` or `\\u{…}`",
        "What stands behind a backslash must have a meaning, so that a mistake in it is no other text.";
    WORDS_NUMERAL "a number that is not kept as it is written",
        "write digits, with a fraction or an exponent if wished, at most 18 decimal places and within the range; text goes into quotes",
        "What begins like a number is one. Exact numbers have at most 18 decimal places and lie within (2^127 - 1) / 10^18; nothing is rounded in silence.";
    WORDS_BRACKET "brackets that do not fit",
        "close each `[` by `]` and each `(` by `)`, before the line's end of the definition that they stand in",
        "What stands between brackets is one thing. Where one is missing, it can't be known what belongs together.";
    WORDS_NOTATION "a notation in a place where it can't begin",
        "write `kerai.infix` at the beginning of a line, for all that follows, or behind a bracket: `(kerai.infix 1 + 2)`",
        "A notation holds from where it is named to the end of the file or of the brackets. In the midst of a line half of it would be read in one way and half in another.";
    WORDS_NAME "a name that can't be one",
        "use ASCII letters, digits, `_` and `.`, a letter first, and a name that no other word or item has",
        "Words are called by their names, by hosts and by other languages too, so names are plain. A word of the language means the same in every source.";
    WORDS_TWICE "a word that is defined twice",
        "remove one of the two definitions, or give one another name",
        "A program is a set of words, whatever order they stand in. Of two with one name either could be meant.";
    WORDS_RECURSION "a word that is defined by itself",
        "write a loop: `each`, `fold`, `times` or `while`",
        "What a word takes and leaves is computed from its body. Of a word that calls itself it can't be, and nothing would bound how deep it goes.";
    WORDS_UNKNOWN "a word that is not there",
        "correct the name, define it by `name: body`, or write text in quotes",
        "All words of a program are known when it is built, so that each one that is misspelt can be found.";
    WORDS_UNDERFLOW "a word that finds too few items",
        "write what it takes before it; `kerai help WORD` says what that is",
        "What is run from top to bottom begins with an empty stack, and a quotation that is run for each value sees no more than its combinator says. How many items there are is known before anything runs.";
    WORDS_KIND "a word that finds an item of another kind",
        "give it an item of the kind that it takes; `text` and `number` turn one into the other",
        "Kinds are known as far as literals and words say them. What would trap whenever it is run is found when it is built.";
    WORDS_EFFECT "a word whose effect on the stack can't be known",
        "use it outside of definitions, where the stack is known, or name items by `name a b: …`",
        "A definition takes and leaves the same number of items whenever it is used. `clear` and `depth` depend on what happens to lie below.";
    WORDS_BRANCHES "ways that leave different numbers of items",
        "let both quotations of an `if` leave as many items, and that of a loop leave as many as it finds",
        "How many items there are must not depend on what is computed: else nothing behind it could be checked.";
    WORDS_QUOTATION "a quotation that is not known here",
        "write the quotation, `[…]`, where the word that runs it finds it",
        "Quotations are put in the place of the word that runs them, so it must be known when the program is built which one it is.";
    WORDS_ARGUMENTS "a word with too few or too many arguments",
        "write as many arguments as the word takes: `word(a, b)` in infix notation, `word a b` in prefix",
        "In infix and prefix notation what a word takes is written with it; nothing comes from the stack.";
    WORDS_EXPRESSION "what can't be read in this notation",
        "infix: values with operators between, and calls `word(a, b)`; prefix: each word before what it takes",
        "Each notation has one way to be read. `kerai.postfix` goes back to words that follow what they take.";
    WORDS_HOST "a word with effects in a program",
        "use it in a session, `kerai` or `kerai WORDS…`, and leave the pure words in the file",
        "A program gives the same answer everywhere, because it sees nothing but what it is given. Host words read files and ask databases, so they are part of no program and of no fold.";
    WORDS_SIZE "too much code",
        "give a part a name of its own, so that it is called and not written out",
        "Quotations are written out where they are run. A few lines that run each other twice would become millions.";
    POLICY_CHARACTER "a character that has no meaning in a condition",
        "write conditions from names, values and the operators of the reference",
        "A condition is a small language of its own, in which every sign has one meaning. What it has no meaning for is refused and not skipped.";
    POLICY_STRING "a string that is never closed",
        "close it with the quote that it begins with",
        "A string reaches from its quote to the next one of the same kind, in one condition.";
    POLICY_ESCAPE "an escape that stands for nothing",
        "write `\\n`, `\\t`, `\\\\`, `\\'`, `\\\"` or `\\u{…}`",
        "What stands behind a backslash must have a meaning, so that a mistake in it is no other text.";
    POLICY_NUMERAL "a number that is not kept as it is written",
        "write a number within the range, with at most 18 decimal places",
        "Exact numbers have at most 18 decimal places and lie within (2^127 - 1) / 10^18. Nothing is rounded in silence, so a numeral must be exactly one of them.";
    POLICY_SYNTAX "a condition that can't be read",
        "compare two values by an operator, and join conditions by `and`, `or` and `not`",
        "Comparisons don't chain: `a < b < c` is written `a < b and b < c`, so that no condition is read in another way than it is meant.";
    POLICY_FUNCTION "a function that does not exist",
        "use a function of the reference",
        "Conditions are total: they end, whatever they are asked. So there are only the functions that the language has, and no way to write others.";
    POLICY_ATTRIBUTE "a name that is declared nowhere",
        "correct the name, or declare it under `inputs`",
        "An attribute that is misspelt would be missing from every request: a rule that denies by it would deny all, and one that allows by it would allow nothing. So every attribute is declared, and other names are found before anything runs.";
    POLICY_KIND "a value of a kind that this can't be",
        "compare values of one kind, by an operator that takes them",
        "What an operator can't answer is unknown. A condition that is always unknown is a mistake, and found before anything runs.";
    POLICY_GLOB "a form of paths that is none",
        "write the form as a string; `*` alone stands for one segment, `**` alone for any number of them",
        "Rules are found by the paths that they are for, so forms must be known when the policy is built. A star within a segment would make it unclear which segments it reaches.";
    POLICY_NETWORK "a text that is neither an address nor a network",
        "write an address, or a network such as `10.0.0.0/8` or `fd00::/8`",
        "An address has one way to be written: numbers have no leading zeros, and there are no zones and no netmasks. A network that can't be read would never hold anything.";
    POLICY_KEY "a key that has no meaning here",
        "remove it or correct its name",
        "A key that is misspelt would leave its part of the rule out in silence.";
    POLICY_SHAPE "a value of another form is wanted here",
        "see the reference for what stands under this key",
        "A policy's file has one form, so that each rule can be read in one way.";
    POLICY_EMPTY "a rule or a list that says nothing",
        "say when it allows or denies; `true` as a condition holds always",
        "Without conditions it would be unclear whether a rule decides always or never.";
    POLICY_ID "an id that a rule can't have",
        "give each rule an id of its own, of letters, digits and `-_./:`",
        "Decisions are recorded by the ids of rules, so an id must stand for one rule. `default` stands for what no rule decides.";
    POLICY_SCHEMA "a declaration of inputs that says nothing",
        "write `any`, `bool`, `number`, `string`, `path`, `[KIND]`, `{\"*\": KIND}` or a mapping of names to kinds",
        "What is declared is what rules may ask for. Words of conditions can't be names of attributes.";
    POLICY_CONSTANT "a constant that can't have this name",
        "choose a name that is no attribute and no word of conditions",
        "A name in a condition must mean one thing.";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_keep_the_style() {
        for code in Code::ALL {
            for line in [code.summary(), code.help()] {
                assert!(!line.ends_with('.') && !line.is_empty(), "{}: `{line}`", code.name());
                assert!(
                    !line.starts_with(|first: char| first.is_ascii_uppercase()) || line.starts_with("Lua"),
                    "{}: `{line}`",
                    code.name()
                );
            }
            assert!(code.page().ends_with('.'), "{}", code.name());
        }
    }
}
