//! From a Lua tree to the IR: names become variables, functions and built-ins; the language's conveniences become what
//! they mean. The tree has passed the linter, so every name is known.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the arms name the few forms that are treated alone, every other is treated alike"
)]

mod call;
mod expression;
mod fold;
mod join;
mod library;
mod loops;
mod names;
mod parts;
mod program;
mod scope;
mod statement;

use crate::ir::{Block, Function, FunctionId, Ir, Lambda, Statement, Type, Variable, VariableId};
use crate::syntax::lua::tree::{Chunk, Pragma, PragmaKind};
use crate::{Code, Diagnostic, Span};
use kerai_vm::bytecode::{Order, ProgramKind};
use kerai_vm::limit;
use library::Prelude;
use scope::{Binding, Scopes};

/// Makes the IR of a source: of a fold where it defines one, else of a program that runs from top to bottom.
///
/// # Errors
/// Everything that stands in the way.
pub fn lower(chunk: &Chunk) -> Result<Ir, Vec<Diagnostic>> {
    lower_in_parts(chunk, Vec::new())
}

/// Makes the IR of a source, its state in parts by a key that the source need not say itself.
///
/// # Errors
/// Everything that stands in the way.
pub fn lower_in_parts(chunk: &Chunk, key: Vec<String>) -> Result<Ir, Vec<Diagnostic>> {
    let mut lowering = Lowering::new(chunk);
    lowering.program(&chunk.body);
    let key = lowering.merging(&chunk.pragmas).unwrap_or(key);
    if lowering.diagnostics.is_empty() && !key.is_empty() {
        lowering.in_parts(key);
    }
    if lowering.diagnostics.is_empty() { Ok(lowering.ir) } else { Err(lowering.diagnostics) }
}

/// A source on its way to the IR.
struct Lowering {
    ir: Ir,
    scopes: Scopes,
    prelude: Prelude,
    /// Whether numbers are stock Lua's floats where they are written so.
    is_float: bool,
    /// Whether the text of the prelude is being lowered, which may name built-ins directly.
    is_prelude: bool,
    /// Where the further arguments of the functions around are, the innermost last.
    rests: Vec<Option<VariableId>>,
    chance: Chance,
    diagnostics: Vec<Diagnostic>,
}

/// Where numbers by chance are drawn from.
#[derive(Clone, Copy)]
enum Chance {
    /// There is no operation to draw them from.
    Nowhere,
    /// A generator that the step has, and whether anything draws from it.
    Generator(VariableId, bool),
}

impl Lowering {
    fn new(chunk: &Chunk) -> Lowering {
        Lowering {
            ir: Ir::new(ProgramKind::Words),
            scopes: Scopes::default(),
            prelude: Prelude::default(),
            is_float: chunk.pragmas.iter().any(|pragma| pragma.kind == PragmaKind::NumericFloat),
            is_prelude: false,
            rests: Vec::new(),
            chance: Chance::Nowhere,
            diagnostics: Vec::new(),
        }
    }

    /// Sets in which order the fold takes operations: what the source says, else any order where it joins, and that of
    /// ULIDs where it does not. Gives what parts its state, if the source says so.
    fn merging(&mut self, pragmas: &[Pragma]) -> Option<Vec<String>> {
        let mut key = None;
        let is_fold = self.ir.kind == ProgramKind::Fold;
        let is_join = is_fold && ["lift", "join"].into_iter().all(|name| self.ir.exports.contains_key(name));
        if is_join {
            self.ir.order = Order::Join;
        }
        for Pragma { kind, span } in pragmas {
            match kind {
                PragmaKind::Order(_) | PragmaKind::Key(_) if !is_fold => {
                    self.report(Code::FOLD_ORDER, *span, "this is no fold, and only a fold takes operations");
                }
                PragmaKind::Order(Order::Join) if !is_join => {
                    self.report(
                        Code::FOLD_ORDER,
                        *span,
                        "a fold that takes operations in any order has `lift` and `join`",
                    );
                }
                PragmaKind::Key(names) if names.len() as u64 > limit::PROGRAM_KEY.value => {
                    let message = format!("a key has at most {} names", limit::PROGRAM_KEY.value);
                    self.report(Code::FOLD_ORDER, *span, message);
                }
                PragmaKind::Order(order) => self.ir.order = *order,
                PragmaKind::Key(names) => key = Some(names.iter().map(|name| name.to_string()).collect()),
                PragmaKind::NumericFloat | PragmaKind::Random => {}
            }
        }
        key
    }

    fn report(&mut self, code: Code, span: Span, message: impl Into<String>) {
        self.diagnostics.push(Diagnostic::new(code, span, message.into()));
    }

    /// A new variable.
    fn variable(&mut self, name: &str) -> VariableId {
        let id = VariableId(u32::try_from(self.ir.variables.len()).unwrap_or(u32::MAX));
        self.ir.variables.push(Variable { name: name.to_owned(), holds: Type::Any });
        id
    }

    /// A new variable under a name that the source gives it.
    fn declare(&mut self, name: &str) -> VariableId {
        let id = self.variable(name);
        self.scopes.bind(name, Binding::Variable(id));
        id
    }

    /// A place for a function of the program, whose body comes later.
    fn reserve(&mut self, name: &str) -> FunctionId {
        let id = FunctionId(u32::try_from(self.ir.functions.len()).unwrap_or(u32::MAX));
        self.ir.functions.push(Function { name: name.to_owned(), lambda: Lambda::default() });
        id
    }

    fn define(&mut self, id: FunctionId, lambda: Lambda) {
        if let Some(function) = self.ir.functions.get_mut(id.0 as usize) {
            function.lambda = lambda;
        }
    }

    /// Lowers what stands in a scope of its own.
    fn scoped<T>(&mut self, lower: impl FnOnce(&mut Self) -> T) -> T {
        let open = self.scopes.open();
        let lowered = lower(self);
        self.scopes.close(open);
        lowered
    }
}

/// A block with one statement.
fn only(statement: Statement) -> Block {
    vec![statement]
}
