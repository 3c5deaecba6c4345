//! The formatter: one form of writing. Tokens are written in the order in which they stand, the tree says only
//! how they are laid out, and comments go with their tokens: so neither can be lost.

use super::comments::{Comments, Place, Run};
use super::lexer::Lexed;
use super::parse::parse;
use super::token::{Token, TokenKind};
use super::tree::*;
use crate::diagnostic::Diagnostic;
use crate::layout::{Layout, Piece};
use std::borrow::Cow;

/// The source in its one form.
///
/// # Errors
/// All mistakes in the writing of the source.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let parsed = parse(text);
    if !parsed.diagnostics.is_empty() {
        return Err(parsed.diagnostics);
    }
    let mut formatter = Formatter {
        text,
        lexed: &parsed.lexed,
        comments: Comments::new(text, &parsed.lexed),
        cursor: 0,
        layout: Layout::default(),
        tables: Vec::new(),
        is_fresh: true,
        may_trail: false,
    };
    formatter.statements(&parsed.chunk.body.statements);
    formatter.comments_before_closer();
    Ok(formatter.layout.print())
}

struct Formatter<'s> {
    text: &'s str,
    lexed: &'s Lexed,
    comments: Comments<'s>,
    /// The next token to be written.
    cursor: usize,
    layout: Layout<'s>,
    /// The groups of the tables that are open.
    tables: Vec<usize>,
    /// Whether nothing stands yet in the block: empty lines at its beginning are left out.
    is_fresh: bool,
    /// Whether comments may follow the last token on its line.
    may_trail: bool,
}

impl<'s> Formatter<'s> {
    fn peek(&self) -> Option<Token> {
        self.lexed.tokens.get(self.cursor).copied()
    }

    fn is_next(&self, kind: TokenKind) -> bool {
        self.peek().is_some_and(|token| token.kind == kind)
    }

    fn push(&mut self, piece: Piece<'s>) {
        // A comment behind a token ends a line, which is no reason to break a group that ends with the token.
        if !matches!(piece, Piece::Close | Piece::Dedent | Piece::IfBroken { .. }) {
            self.trailing_comments();
        }
        self.layout.push(piece);
    }

    fn open(&mut self) -> usize {
        self.trailing_comments();
        self.layout.open()
    }

    /// The comments behind the token that was written, to the end of its line.
    fn trailing_comments(&mut self) {
        if std::mem::take(&mut self.may_trail) {
            while let Some(run) = self.comments.next_trailing(self.cursor) {
                self.run(run);
            }
        }
    }

    fn space(&mut self) {
        self.push(Piece::Space);
    }

    fn text(&mut self, text: Cow<'s, str>) {
        self.is_fresh = false;
        self.push(Piece::Text(text));
    }

    /// Writes the next token, with the comments that belong to it.
    fn token(&mut self) {
        let Some(token) = self.peek() else { return };
        self.comments_before();
        self.text(with_plain_lines(token.span.text(self.text)));
        self.advance();
    }

    /// Writes something in the place of the next token, or nothing.
    fn instead(&mut self, piece: Option<Piece<'s>>) {
        self.comments_before();
        piece.into_iter().for_each(|piece| self.push(piece));
        self.advance();
    }

    fn comments_before(&mut self) {
        self.trailing_comments();
        while let Some(run) = self.comments.next(self.cursor) {
            self.run(run);
        }
    }

    /// Goes on behind the next token.
    fn advance(&mut self) {
        let written = self.peek().map(|token| token.kind);
        self.cursor += 1;
        if self.is_last_item(written)
            && let Some(&group) = self.tables.last()
        {
            self.push(Piece::IfBroken { group, text: "," });
        }
        self.may_trail = true;
    }

    fn tokens(&mut self, count: usize) {
        (0..count).for_each(|_| self.token());
    }

    /// Whether a table ends behind the token that was written, without a separator.
    fn is_last_item(&self, written: Option<TokenKind>) -> bool {
        self.is_next(TokenKind::CloseBrace)
            && !matches!(written, Some(TokenKind::OpenBrace | TokenKind::Comma | TokenKind::Semicolon))
    }

    fn run(&mut self, run: Run<'s>) {
        if run.place == Place::Own {
            self.push(Piece::Newline);
            if run.has_gap && !self.is_fresh {
                self.push(Piece::EmptyLine);
            }
        } else if run.place == Place::Trailing || !self.follows_opener() {
            self.space();
        }
        for (number, comment) in run.comments.iter().enumerate() {
            if number > 0 {
                self.space();
            }
            self.is_fresh = false;
            self.push(Piece::Comment(with_plain_lines(comment.span.text(self.text).trim_ascii_end())));
        }
        let is_before_sign = self.peek().is_some_and(|next| {
            matches!(
                next.kind,
                TokenKind::Comma
                    | TokenKind::Semicolon
                    | TokenKind::Close
                    | TokenKind::CloseBracket
                    | TokenKind::CallOpen
                    | TokenKind::Dot
                    | TokenKind::Colon
            )
        });
        match run.place {
            Place::Inline if is_before_sign => {}
            Place::Inline => self.space(),
            Place::Own | Place::Trailing => self.push(Piece::Newline),
        }
    }

    /// Whether the last token opened something that its content follows without a blank.
    fn follows_opener(&self) -> bool {
        let last = self.cursor.checked_sub(1).and_then(|last| self.lexed.tokens.get(last));
        last.is_some_and(|last| matches!(last.kind, TokenKind::Open | TokenKind::CallOpen | TokenKind::OpenBracket))
    }

    /// Comments on lines of their own before what closes a block are still of the block.
    fn comments_before_closer(&mut self) {
        self.trailing_comments();
        while let Some(run) = self.comments.next_own(self.cursor) {
            self.run(run);
        }
    }

    /// Begins a line of a block or a table, with the empty line that stood before it.
    fn begin(&mut self, separator: Piece<'s>) {
        self.push(separator);
        while let Some(run) = self.comments.next_own(self.cursor) {
            self.run(run);
        }
        if self.comments.has_gap_before(self.cursor) && !self.is_fresh {
            self.push(Piece::EmptyLine);
        }
    }

    fn statements(&mut self, statements: &[Statement]) {
        for (number, statement) in statements.iter().enumerate() {
            let has_gap = self.semicolons();
            self.begin(Piece::Newline);
            if has_gap && !self.is_fresh {
                self.push(Piece::EmptyLine);
            }
            // Without a sign between, the parenthesis would be taken as a call of what stands before it.
            if number > 0 && self.is_next(TokenKind::Open) {
                self.text(";".into());
            }
            self.statement(statement);
        }
        self.semicolons();
    }

    /// Leaves semicolons out, and says whether an empty line stood before one.
    fn semicolons(&mut self) -> bool {
        let mut has_gap = false;
        while self.is_next(TokenKind::Semicolon) {
            self.comments_before();
            has_gap |= self.comments.has_gap_before(self.cursor);
            self.instead(None);
        }
        has_gap
    }

    /// A block behind the word that opens it, up to the word that closes it.
    fn body(&mut self, block: &Block) {
        self.push(Piece::Indent);
        self.is_fresh = true;
        self.statements(&block.statements);
        self.comments_before_closer();
        self.push(Piece::Dedent);
        self.push(Piece::Newline);
    }

    /// Whether a block was written on one line, holds one plain statement, and may stay so.
    fn is_short(&self, block: &Block, opener: usize) -> bool {
        let is_plain = |statement: &Statement| {
            matches!(
                statement.kind,
                StatementKind::Return(_) | StatementKind::Break | StatementKind::Call(_) | StatementKind::Assign { .. }
            )
        };
        let (start, end) = match block.statements.as_slice() {
            [] => return true,
            [statement] if is_plain(statement) => (statement.span.start, statement.span.end),
            _ => return false,
        };
        let before = self.lexed.tokens.get(opener).map_or(start, |token| token.span.end);
        let place = self.lexed.tokens.partition_point(|token| token.span.start < end);
        let mut behind = self.lexed.tokens.iter().skip(place).skip_while(|token| token.kind == TokenKind::Semicolon);
        let after = behind.next().map_or(end, |token| token.span.start);
        let written = self.text.get(before as usize..after as usize).unwrap_or_default();
        !written.contains('\n')
    }

    /// A block up to `end`, on one line where it is short.
    fn body_and_end(&mut self, block: &Block) {
        let opener = self.cursor.saturating_sub(1);
        if !self.is_short(block, opener) {
            self.body(block);
            return self.token();
        }
        self.open();
        self.push(Piece::Indent);
        self.semicolons();
        for statement in &block.statements {
            self.push(Piece::Break { is_blank: true });
            self.statement(statement);
        }
        self.semicolons();
        self.comments_before_closer();
        self.push(Piece::Dedent);
        self.push(Piece::Break { is_blank: true });
        self.push(Piece::Close);
        self.token();
    }

    fn statement(&mut self, statement: &Statement) {
        match &statement.kind {
            StatementKind::Assign { targets, values } => {
                self.list(targets);
                self.space();
                self.token();
                self.space();
                self.list(values);
            }
            StatementKind::Call(call) => self.call(call),
            StatementKind::Do(body) => {
                self.token();
                self.body(body);
                self.token();
            }
            StatementKind::While { condition, body } => {
                self.token();
                self.spaced(condition);
                self.token();
                self.body(body);
                self.token();
            }
            StatementKind::Repeat { body, condition } => {
                self.token();
                self.body(body);
                self.token();
                self.space();
                self.expression(condition);
            }
            StatementKind::If { arms, otherwise } => self.branches(arms, otherwise.as_ref()),
            StatementKind::NumericFor { start, limit, step, body, .. } => {
                self.token();
                self.space();
                self.token();
                self.space();
                self.token();
                self.space();
                self.expression(start);
                for value in [limit].into_iter().chain(step) {
                    self.token();
                    self.space();
                    self.expression(value);
                }
                self.loop_body(body);
            }
            StatementKind::GenericFor { names, values, body } => {
                self.token();
                self.space();
                self.names(names.len());
                self.space();
                self.token();
                self.space();
                self.list(values);
                self.loop_body(body);
            }
            StatementKind::Function { target, function } => {
                self.token();
                self.space();
                self.tokens(1 + 2 * target.fields.len() + 2 * usize::from(target.method.is_some()));
                self.function(function);
            }
            StatementKind::LocalFunction { function, .. } => {
                self.token();
                self.space();
                self.token();
                self.space();
                self.token();
                self.function(function);
            }
            StatementKind::Local { names, values } => self.local(names, values),
            StatementKind::Return(values) => {
                self.token();
                if !values.is_empty() {
                    self.space();
                    self.list(values);
                }
            }
            StatementKind::Break => self.token(),
            StatementKind::Goto(_) => {
                self.token();
                self.space();
                self.token();
            }
            StatementKind::Label(_) => self.tokens(3),
        }
    }

    fn loop_body(&mut self, body: &Block) {
        self.space();
        self.token();
        self.body(body);
        self.token();
    }

    fn spaced(&mut self, expression: &Expression) {
        self.space();
        self.expression(expression);
        self.space();
    }

    fn branches(&mut self, arms: &[Arm], otherwise: Option<&Block>) {
        for (number, arm) in arms.iter().enumerate() {
            self.token();
            self.spaced(&arm.condition);
            self.token();
            if number == 0 && arms.len() == 1 && otherwise.is_none() && !arm.body.statements.is_empty() {
                return self.body_and_end(&arm.body);
            }
            self.body(&arm.body);
        }
        if let Some(block) = otherwise {
            self.token();
            self.body(block);
        }
        self.token();
    }

    fn local(&mut self, names: &[LocalName], values: &[Expression]) {
        self.token();
        for (number, name) in names.iter().enumerate() {
            if number > 0 {
                self.token();
            }
            self.space();
            self.token();
            if name.attribute.is_some() {
                self.space();
                self.tokens(3);
            }
        }
        if !values.is_empty() {
            self.space();
            self.token();
            self.space();
            self.list(values);
        }
    }

    fn names(&mut self, count: usize) {
        for number in 0..count {
            if number > 0 {
                self.token();
                self.space();
            }
            self.token();
        }
    }

    /// Expressions with commas between, which break together.
    fn list(&mut self, expressions: &[Expression]) {
        let is_group = expressions.len() > 1;
        if is_group {
            self.open();
        }
        for (number, expression) in expressions.iter().enumerate() {
            if number > 0 {
                self.token();
                // Only what goes on is indented: the first can stand at a line's beginning.
                if number == 1 {
                    self.push(Piece::Indent);
                }
                self.push(Piece::Break { is_blank: true });
            }
            self.expression(expression);
        }
        if is_group {
            self.push(Piece::Dedent);
            self.push(Piece::Close);
        }
    }

    /// Parameters and body, behind `function` or the name.
    fn function(&mut self, function: &Function) {
        let count = function.parameters.len() + usize::from(function.variadic.is_some());
        self.token();
        if count > 0 {
            self.enclosed(count, |formatter, _| formatter.token());
        }
        self.token();
        if function.body.statements.is_empty() {
            self.space();
        }
        self.body_and_end(&function.body);
    }

    /// So many parts with commas between, broken one a line or not at all; brackets are the caller's.
    fn enclosed(&mut self, count: usize, mut part: impl FnMut(&mut Self, usize)) {
        self.open();
        self.push(Piece::Indent);
        for number in 0..count {
            if number > 0 {
                self.token();
            }
            self.push(Piece::Break { is_blank: number > 0 });
            part(self, number);
        }
        self.comments_before_closer();
        self.push(Piece::Dedent);
        self.push(Piece::Break { is_blank: false });
        self.push(Piece::Close);
    }

    fn call(&mut self, call: &Call) {
        self.expression(&call.function);
        if call.method.is_some() {
            self.tokens(2);
        }
        if !self.is_next(TokenKind::CallOpen) {
            self.space();
            return call.arguments.iter().for_each(|argument| self.expression(argument));
        }
        self.token();
        match call.arguments.as_slice() {
            [] => self.comments_before_closer(),
            // A function or table at the end goes on over lines by itself.
            arguments @ [.., Expression { kind: ExpressionKind::Function(_) | ExpressionKind::Table(_), .. }] => {
                for (number, argument) in arguments.iter().enumerate() {
                    if number > 0 {
                        self.token();
                        self.space();
                    }
                    self.expression(argument);
                }
            }
            arguments => self.enclosed(arguments.len(), |formatter, number| {
                arguments.iter().skip(number).take(1).for_each(|argument| formatter.expression(argument));
            }),
        }
        self.token();
    }

    fn expression(&mut self, expression: &Expression) {
        match &expression.kind {
            ExpressionKind::Nil
            | ExpressionKind::True
            | ExpressionKind::False
            | ExpressionKind::Numeral(_)
            | ExpressionKind::String(_)
            | ExpressionKind::Variadic
            | ExpressionKind::Name(_) => self.token(),
            ExpressionKind::Function(function) => {
                self.token();
                self.function(function);
            }
            ExpressionKind::Field { table, .. } => {
                self.expression(table);
                self.tokens(2);
            }
            ExpressionKind::Index { table, key } => {
                self.expression(table);
                self.bracketed(key);
            }
            ExpressionKind::Call(call) => self.call(call),
            ExpressionKind::Table(items) => self.table(items),
            ExpressionKind::Parenthesized(inner) => {
                self.token();
                self.expression(inner);
                self.token();
            }
            ExpressionKind::Unary { operator, operand } => {
                self.token();
                let is_twice = *operator == UnaryOperator::Negate && self.is_next(TokenKind::Minus);
                if is_twice || *operator == UnaryOperator::Not {
                    self.space();
                }
                self.expression(operand);
            }
            ExpressionKind::Binary { .. } => {
                self.open();
                self.operands(expression, &mut true);
                self.push(Piece::Dedent);
                self.push(Piece::Close);
            }
        }
    }

    /// The operands of operators that bind alike break together; all but the first are indented.
    fn operands(&mut self, expression: &Expression, is_first: &mut bool) {
        let ExpressionKind::Binary { operator, left, right } = &expression.kind else { return };
        self.operand(*operator, left, is_first);
        if std::mem::take(is_first) {
            self.push(Piece::Indent);
        }
        self.push(Piece::Break { is_blank: true });
        self.token();
        self.space();
        self.operand(*operator, right, is_first);
    }

    fn operand(&mut self, operator: BinaryOperator, operand: &Expression, is_first: &mut bool) {
        if let ExpressionKind::Binary { operator: inner, .. } = &operand.kind
            && inner.tier() == operator.tier()
        {
            self.operands(operand, is_first);
        } else {
            self.expression(operand);
        }
    }

    /// `[key]`, with blanks where a long string would make another bracket of it.
    fn bracketed(&mut self, key: &Expression) {
        self.token();
        let is_long = self.peek().is_some_and(|token| token.span.text(self.text).starts_with('['));
        if is_long {
            self.space();
        }
        self.expression(key);
        if is_long {
            self.space();
        }
        self.token();
    }

    /// A table that was begun with a line's end stays on lines; another is broken where it does not fit.
    fn table(&mut self, items: &[Item]) {
        let is_on_lines = self.comments.is_line_first(self.cursor + 1);
        // Nothing within the brackets: the sign behind them is of the table around.
        if items.is_empty() {
            self.token();
            self.comments_before_closer();
            return self.token();
        }
        let group = self.open();
        // The comma of the last item is this table's, and that of the closing bracket the outer one's.
        self.tables.push(group);
        self.token();
        self.push(Piece::Indent);
        self.is_fresh = true;
        if is_on_lines {
            self.push(Piece::Newline);
        }
        for (number, item) in items.iter().enumerate() {
            if number > 0 {
                self.instead(Some(Piece::Text(",".into())));
            }
            self.begin(Piece::Break { is_blank: true });
            self.item(item);
        }
        if !self.is_next(TokenKind::CloseBrace) {
            self.instead(Some(Piece::IfBroken { group, text: "," }));
        }
        self.comments_before_closer();
        self.tables.pop();
        self.push(Piece::Dedent);
        self.push(Piece::Break { is_blank: true });
        self.push(Piece::Close);
        self.token();
    }

    fn item(&mut self, item: &Item) {
        match item {
            Item::Positional(_) => {}
            Item::Named { .. } => {
                self.token();
                self.space();
                self.token();
                self.space();
            }
            Item::Keyed { key, .. } => {
                self.bracketed(key);
                self.space();
                self.token();
                self.space();
            }
        }
        let (Item::Positional(value) | Item::Named { value, .. } | Item::Keyed { value, .. }) = item;
        self.expression(value);
    }
}

/// A text with newlines for the line ends of other systems, which Lua takes for the same: of two different bytes
/// that each could end a line, side by side, both are one end.
fn with_plain_lines(text: &str) -> Cow<'_, str> {
    if !text.contains('\r') {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut points = text.chars().peekable();
    while let Some(point) = points.next() {
        if matches!(point, '\r' | '\n') {
            points.next_if(|&next| matches!(next, '\r' | '\n') && next != point);
            plain.push('\n');
        } else {
            plain.push(point);
        }
    }
    Cow::Owned(plain)
}
