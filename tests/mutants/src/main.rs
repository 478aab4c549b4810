//! Puts all mutants of some files into these files at once, each behind `crate::mutant::is(NUMBER)`, which decides at run
//! time: one compilation serves for all of them.
//!
//! Reads a list from `cargo mutants --list --json`, and the numbers of those that are left out; files are relative to the working
//! directory. Each place is marked with the numbers that are tried there, so that a compiler error shows which mutants
//! are impossible there: `/*<17*/ ... /*>*/`. Prints the numbers that have no place; `run.py` leaves them to `cargo mutants`.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::{env, fs};

use proc_macro2::{LineColumn, Span};
use serde_json::Value;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

type Failure = Box<dyn std::error::Error>;

/// A mutant: its number, and its replacement code.
struct Mutant {
    number: usize,
    replacement: String,
    genre: String,
}

/// A place that has mutants.
enum Kind {
    /// `left op right`
    Binary { left: Range<usize>, right: Range<usize>, op: String },
    /// `op inner`
    Unary { inner: Range<usize>, op: String },
    /// Between braces.
    Body,
    /// `name: value`, or `name` alone, before `..base`.
    Field { name: String, value: Range<usize>, base: Range<usize> },
    /// Between a pattern and its arrow, with the guard.
    Arm { guard: Option<Range<usize>> },
}

struct Place {
    range: Range<usize>,
    kind: Kind,
    mutants: Vec<Mutant>,
}

struct Finder<'a> {
    source: &'a str,
    lines: Vec<usize>,
    /// By line and column of the start, in characters.
    left: BTreeMap<(usize, usize), Vec<Mutant>>,
    places: Vec<Place>,
}

impl Finder<'_> {
    fn at(&self, place: LineColumn) -> usize {
        let line = self.lines[place.line - 1];
        let rest = &self.source[line..];
        line + rest.char_indices().nth(place.column).map_or(rest.len(), |(at, _)| at)
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.at(span.start())..self.at(span.end())
    }

    /// The mutants of these genres that start here.
    fn take(&mut self, start: LineColumn, genres: &[&str]) -> Vec<Mutant> {
        let Some(here) = self.left.get_mut(&(start.line, start.column + 1)) else { return Vec::new() };
        here.extract_if(.., |mutant| genres.contains(&mutant.genre.as_str())).collect()
    }

    fn add(&mut self, range: Range<usize>, kind: Kind, mutants: Vec<Mutant>) {
        if !mutants.is_empty() {
            self.places.push(Place { range, kind, mutants });
        }
    }

    /// Mutants of the return value are listed at the first statement of the body. A choice between two types that are both
    /// `impl Trait` is impossible at run time.
    fn body(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let is_opaque = matches!(&signature.output, syn::ReturnType::Type(_, ty) if matches!(**ty, syn::Type::ImplTrait(_)));
        if let Some(first) = block.stmts.first().filter(|_| !is_opaque) {
            let mutants = self.take(first.span().start(), &["FnValue"]);
            let (open, close) =
                (self.range(block.brace_token.span.open()), self.range(block.brace_token.span.close()));
            self.add(open.end..close.start, Kind::Body, mutants);
        }
    }

    /// An arm is deleted by a guard that is never true. If no other arm covers the rest, the match is no longer exhaustive,
    /// and does not compile.
    fn arm(&mut self, arm: &syn::Arm, is_open: bool) {
        let guard = arm.guard.as_ref().map(|(_, guard)| guard);
        if guard.is_some_and(|guard| has_let(guard)) {
            return;
        }
        let mut mutants = Vec::new();
        if guard.is_some() || !is_open {
            mutants = self.take(arm.span().start(), &["MatchArm"]);
        }
        if let Some(guard) = guard {
            mutants.extend(self.take(guard.span().start(), &["MatchArmGuard"]));
        }
        let range = self.range(arm.pat.span()).end..self.range(arm.fat_arrow_token.span()).start;
        let guard = guard.map(|guard| self.range(guard.span()));
        self.add(range, Kind::Arm { guard }, mutants);
    }
}

/// A part of a chain of `let`s is not an expression of its own.
fn has_let(expr: &syn::Expr) -> bool {
    struct Lets(bool);
    impl<'a> Visit<'a> for Lets {
        fn visit_expr_let(&mut self, _: &'a syn::ExprLet) {
            self.0 = true;
        }
        fn visit_block(&mut self, _: &'a syn::Block) {}
    }
    let mut lets = Lets(false);
    lets.visit_expr(expr);
    lets.0
}

impl<'a> Visit<'a> for Finder<'_> {
    // Constants are evaluated before the program runs.
    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        self.body(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        self.body(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(&item.sig, block);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expr: &'a syn::ExprBinary) {
        if !has_let(&expr.left) && !has_let(&expr.right) {
            let mutants = self.take(expr.op.span().start(), &["BinaryOperator"]);
            let kind = Kind::Binary {
                left: self.range(expr.left.span()),
                right: self.range(expr.right.span()),
                op: self.source[self.range(expr.op.span())].to_owned(),
            };
            self.add(self.range(expr.span()), kind, mutants);
        }
        visit::visit_expr_binary(self, expr);
    }

    fn visit_expr_unary(&mut self, expr: &'a syn::ExprUnary) {
        let mutants = self.take(expr.op.span().start(), &["UnaryOperator"]);
        let op = self.source[self.range(expr.op.span())].to_owned();
        self.add(self.range(expr.span()), Kind::Unary { inner: self.range(expr.expr.span()), op }, mutants);
        visit::visit_expr_unary(self, expr);
    }

    fn visit_expr_struct(&mut self, expr: &'a syn::ExprStruct) {
        for field in &expr.fields {
            let mutants = self.take(field.span().start(), &["StructField"]);
            if let (syn::Member::Named(name), Some(base)) = (&field.member, &expr.rest) {
                let (value, base) = (self.range(field.expr.span()), self.range(base.span()));
                let kind = Kind::Field { name: name.to_string(), value, base };
                self.add(self.range(field.span()), kind, mutants);
            }
        }
        visit::visit_expr_struct(self, expr);
    }

    fn visit_expr_match(&mut self, expr: &'a syn::ExprMatch) {
        let takes_rest = |arm: &syn::Arm| arm.guard.is_none() && matches!(arm.pat, syn::Pat::Wild(_));
        let is_open = !expr.arms.iter().any(takes_rest);
        expr.arms.iter().for_each(|arm| self.arm(arm, is_open));
        visit::visit_expr_match(self, expr);
    }
}

/// The source in this range, with its places replaced by those with mutants. `places` are in order, the outer before the inner.
fn render(source: &str, places: &[Place], range: Range<usize>, within: Option<&Place>) -> String {
    let (mut out, mut at) = (String::new(), range.start);
    for place in places {
        if within.is_some_and(|within| std::ptr::eq(within, place))
            || place.range.start < at
            || place.range.end > range.end
        {
            continue;
        }
        out += &source[at..place.range.start];
        out += &with_mutants(source, places, place);
        at = place.range.end;
    }
    out + &source[at..range.end]
}

fn with_mutants(source: &str, places: &[Place], place: &Place) -> String {
    let inner = |range: &Range<usize>| render(source, places, range.clone(), Some(place));
    let is = |mutant: &Mutant| format!("crate::mutant::is({})", mutant.number);
    let numbers: Vec<_> = place.mutants.iter().map(|mutant| mutant.number.to_string()).collect();
    let mark = |numbers: &str, text: &str| format!("/*<{numbers}*/{text}/*>*/");
    let choice = |with: &dyn Fn(&str) -> String, op: &str| {
        let mut text = String::new();
        for mutant in &place.mutants {
            text += &format!(
                "if {} {{{}}} else ",
                is(mutant),
                mark(&mutant.number.to_string(), &with(&mutant.replacement))
            );
        }
        format!("({text}{{{}}})", with(op))
    };
    let text = match &place.kind {
        Kind::Binary { left, right, op } => {
            let (left, right) = (inner(left), inner(right));
            choice(&|op: &str| format!("{left} {op} {right}"), op)
        }
        Kind::Unary { inner: operand, op } => {
            let operand = inner(operand);
            choice(&|op: &str| format!("{op}{operand}"), op)
        }
        Kind::Field { name, value, base } => {
            let (value, base) = (inner(value), inner(base));
            // A mutant has no replacement here: the field is taken from the base.
            let value = choice(
                &|op: &str| if op.is_empty() { format!("{base}.{name}") } else { value.clone() },
                "value",
            );
            format!("{name}: {value}")
        }
        Kind::Body => {
            let mut text = String::new();
            for mutant in &place.mutants {
                let value = format!("return {};", mutant.replacement);
                text += &format!(" if {} {{{}}}", is(mutant), mark(&mutant.number.to_string(), &value));
            }
            // Errors further on belong to other places.
            return format!("{}{}", mark(&numbers.join(","), &text), inner(&place.range));
        }
        Kind::Arm { guard } => {
            let mut text = guard.as_ref().map_or("true".to_owned(), |guard| format!("({})", inner(guard)));
            for mutant in &place.mutants {
                let always = mutant.genre == "MatchArmGuard" && mutant.replacement == "true";
                text = if always {
                    format!("({} || {text})", is(mutant))
                } else {
                    format!("(!{} && {text})", is(mutant))
                };
            }
            return format!(" if {} ", mark(&numbers.join(","), &text));
        }
    };
    mark(&numbers.join(","), &text)
}

fn main() -> Result<(), Failure> {
    let [list, left_out] = &env::args().skip(1).collect::<Vec<_>>()[..] else {
        return Err("LIST LEFT_OUT".into());
    };
    let list: Vec<Value> = serde_json::from_str(&fs::read_to_string(list)?)?;
    let left_out: BTreeSet<usize> =
        fs::read_to_string(left_out)?.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    let mut files: BTreeMap<String, BTreeMap<(usize, usize), Vec<Mutant>>> = BTreeMap::new();
    for (number, mutant) in list.iter().enumerate().filter(|(number, _)| !left_out.contains(number)) {
        let text = |key: &str| mutant[key].as_str().unwrap_or_default().to_owned();
        let start = &mutant["span"]["start"];
        let place =
            (start["line"].as_u64().unwrap_or(0) as usize, start["column"].as_u64().unwrap_or(0) as usize);
        let one = Mutant { number, replacement: text("replacement"), genre: text("genre") };
        files.entry(text("file")).or_default().entry(place).or_default().push(one);
    }
    for (file, left) in files {
        let source = fs::read_to_string(&file)?;
        let lines = std::iter::once(0).chain(source.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let mut finder = Finder { source: &source, lines, left, places: Vec::new() };
        finder.visit_file(&syn::parse_file(&source)?);
        let (mut places, left) = (finder.places, finder.left);
        places.sort_by_key(|place| (place.range.start, std::cmp::Reverse(place.range.end)));
        fs::write(&file, render(&source, &places, 0..source.len(), None))?;
        for mutant in left.into_values().flatten() {
            println!("{}", mutant.number);
        }
    }
    Ok(())
}
