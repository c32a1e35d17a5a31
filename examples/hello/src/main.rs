// SPDX-License-Identifier: MIT OR Apache-2.0
//! A small calculator, bundled so that there is something to compile: `hello 'x = 2 * (3 + 4); x ^ 2'`.
//! Values are numbers or lists; functions are built in, or defined as `f(a, b) = a + b`.

use std::collections::BTreeMap;
use std::fmt;
use std::iter::Peekable;
use std::ops::{Add, Div, Mul, Neg, Sub};
use std::rc::Rc;
use std::str::Chars;

// ---- Values -----------------------------------------------------------------------------------------------------

/// What the evaluator needs of a number.
trait Number:
    Copy
    + PartialOrd
    + fmt::Display
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    const ZERO: Self;
    const ONE: Self;
    fn parse(text: &str) -> Option<Self>;
    fn is_integral(self) -> bool;
    fn power(self, exponent: Self) -> Option<Self>;
}

impl Number for f64 {
    const ZERO: f64 = 0.0;
    const ONE: f64 = 1.0;

    fn parse(text: &str) -> Option<f64> {
        text.parse().ok()
    }

    fn is_integral(self) -> bool {
        self.fract() == 0.0
    }

    fn power(self, exponent: f64) -> Option<f64> {
        let result = self.powf(exponent);
        (!result.is_nan()).then_some(result)
    }
}

/// A fraction in lowest terms, with a positive denominator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fraction {
    numerator: i64,
    denominator: i64,
}

const fn gcd(a: i64, b: i64) -> i64 {
    if b == 0 {
        if a < 0 {
            -a
        } else {
            a
        }
    } else {
        gcd(b, a % b)
    }
}

impl Fraction {
    const fn new(numerator: i64, denominator: i64) -> Fraction {
        let divisor = gcd(numerator, denominator);
        let sign = if denominator < 0 { -1 } else { 1 };
        if divisor == 0 {
            return Fraction { numerator: 0, denominator: 1 };
        }
        Fraction { numerator: sign * numerator / divisor, denominator: sign * denominator / divisor }
    }
}

macro_rules! fraction_operator {
    ($trait:ident, $method:ident, |$a:ident, $b:ident| ($numerator:expr, $denominator:expr)) => {
        impl $trait for Fraction {
            type Output = Fraction;

            fn $method(self, other: Fraction) -> Fraction {
                let ($a, $b) = (self, other);
                Fraction::new($numerator, $denominator)
            }
        }
    };
}

fraction_operator!(Add, add, |a, b| (
    a.numerator * b.denominator + b.numerator * a.denominator,
    a.denominator * b.denominator
));
fraction_operator!(Sub, sub, |a, b| (
    a.numerator * b.denominator - b.numerator * a.denominator,
    a.denominator * b.denominator
));
fraction_operator!(Mul, mul, |a, b| (a.numerator * b.numerator, a.denominator * b.denominator));
fraction_operator!(Div, div, |a, b| (a.numerator * b.denominator, a.denominator * b.numerator));

impl Neg for Fraction {
    type Output = Fraction;

    fn neg(self) -> Fraction {
        Fraction { numerator: -self.numerator, ..self }
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Fraction) -> Option<std::cmp::Ordering> {
        (self.numerator * other.denominator).partial_cmp(&(other.numerator * self.denominator))
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.denominator {
            1 => write!(out, "{}", self.numerator),
            denominator => write!(out, "{}/{}", self.numerator, denominator),
        }
    }
}

impl Number for Fraction {
    const ZERO: Fraction = Fraction::new(0, 1);
    const ONE: Fraction = Fraction::new(1, 1);

    fn parse(text: &str) -> Option<Fraction> {
        match text.split_once('.') {
            None => text.parse().ok().map(|whole| Fraction::new(whole, 1)),
            Some((whole, decimals)) => {
                let scale = 10i64.checked_pow(decimals.len() as u32)?;
                let digits: i64 = format!("{whole}{decimals}").parse().ok()?;
                Some(Fraction::new(digits, scale))
            }
        }
    }

    fn is_integral(self) -> bool {
        self.denominator == 1
    }

    fn power(self, exponent: Fraction) -> Option<Fraction> {
        if !exponent.is_integral() {
            return None;
        }
        let times = exponent.numerator.unsigned_abs();
        let product = (0..times).fold(Fraction::ONE, |product, _| product * self);
        Some(if exponent.numerator < 0 { Fraction::ONE / product } else { product })
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Value<N> {
    One(N),
    Many(Vec<Value<N>>),
}

impl<N: fmt::Display> fmt::Display for Value<N> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::One(number) => number.fmt(out),
            Value::Many(values) => {
                out.write_str("[")?;
                for (index, value) in values.iter().enumerate() {
                    write!(out, "{}{}", if index == 0 { "" } else { ", " }, value)?;
                }
                out.write_str("]")
            }
        }
    }
}

// ---- Words ------------------------------------------------------------------------------------------------------

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Number(String),
    Name(String),
    Sign(char),
}

#[derive(Debug, PartialEq)]
enum Problem {
    UnexpectedCharacter(char),
    UnexpectedToken(Token),
    UnexpectedEnd,
    BadNumber(String),
    Unknown(String),
    WrongArguments { name: String, expected: usize, given: usize },
    NotANumber,
    Undefined(&'static str),
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Problem::UnexpectedCharacter(character) => write!(out, "'{character}' means nothing here"),
            Problem::UnexpectedToken(token) => write!(out, "did not expect {token:?}"),
            Problem::UnexpectedEnd => write!(out, "the expression ends too early"),
            Problem::BadNumber(text) => write!(out, "{text} is no number"),
            Problem::Unknown(name) => write!(out, "there is no {name}"),
            Problem::WrongArguments { name, expected, given } => {
                write!(out, "{name} takes {expected} arguments, not {given}")
            }
            Problem::NotANumber => write!(out, "a list stands where a number is needed"),
            Problem::Undefined(what) => write!(out, "{what} is not defined"),
        }
    }
}

impl std::error::Error for Problem {}

type Result<T, E = Problem> = std::result::Result<T, E>;

/// Splits text into tokens, lazily.
struct Lexer<'text> {
    characters: Peekable<Chars<'text>>,
}

impl<'text> Lexer<'text> {
    fn new(text: &'text str) -> Self {
        Lexer { characters: text.chars().peekable() }
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(character) = self.characters.next_if(|&character| wanted(character)) {
            text.push(character);
        }
        text
    }
}

impl Iterator for Lexer<'_> {
    type Item = Result<Token>;

    fn next(&mut self) -> Option<Self::Item> {
        self.take_while(char::is_whitespace);
        let token = match *self.characters.peek()? {
            '0'..='9' | '.' => Token::Number(self.take_while(|c| c.is_ascii_digit() || c == '.')),
            c if c.is_alphabetic() || c == '_' => Token::Name(self.take_while(|c| c.is_alphanumeric() || c == '_')),
            c if "+-*/^()[],;=<>".contains(c) => {
                self.characters.next();
                Token::Sign(c)
            }
            c => return Some(Err(Problem::UnexpectedCharacter(c))),
        };
        Some(Ok(token))
    }
}

// ---- Grammar ----------------------------------------------------------------------------------------------------

#[derive(Debug)]
enum Expression<N> {
    Constant(N),
    Variable(String),
    List(Vec<Expression<N>>),
    Negate(Box<Expression<N>>),
    Operate(char, Box<Expression<N>>, Box<Expression<N>>),
    Call(String, Vec<Expression<N>>),
}

#[derive(Debug)]
enum Statement<N> {
    Show(Expression<N>),
    Assign(String, Expression<N>),
    Define(String, Rc<Function<N>>),
}

#[derive(Debug)]
struct Function<N> {
    parameters: Vec<String>,
    body: Expression<N>,
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn new(text: &str) -> Result<Parser> {
        Ok(Parser { tokens: Lexer::new(text).collect::<Result<_>>()?, at: 0 })
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at)
    }

    fn accept(&mut self, sign: char) -> bool {
        let found = self.peek() == Some(&Token::Sign(sign));
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, sign: char) -> Result<()> {
        if self.accept(sign) {
            return Ok(());
        }
        Err(self.peek().cloned().map_or(Problem::UnexpectedEnd, Problem::UnexpectedToken))
    }

    fn program<N: Number>(&mut self) -> Result<Vec<Statement<N>>> {
        let mut statements = Vec::new();
        while self.peek().is_some() {
            statements.push(self.statement()?);
            if self.peek().is_some() {
                self.expect(';')?;
            }
        }
        Ok(statements)
    }

    fn statement<N: Number>(&mut self) -> Result<Statement<N>> {
        let start = self.at;
        let target = self.expression(0)?;
        if !self.accept('=') {
            return Ok(Statement::Show(target));
        }
        let body = self.expression(0)?;
        match target {
            Expression::Variable(name) => Ok(Statement::Assign(name, body)),
            Expression::Call(name, arguments) => {
                let parameters = arguments
                    .into_iter()
                    .map(|argument| match argument {
                        Expression::Variable(name) => Ok(name),
                        _ => Err(Problem::UnexpectedToken(self.tokens[start].clone())),
                    })
                    .collect::<Result<_>>()?;
                Ok(Statement::Define(name, Rc::new(Function { parameters, body })))
            }
            _ => Err(Problem::UnexpectedToken(self.tokens[start].clone())),
        }
    }

    /// Operators by precedence: the left one binds the tighter of equals, except for powers.
    fn expression<N: Number>(&mut self, weakest: u8) -> Result<Expression<N>> {
        const fn strength(sign: char) -> Option<(u8, u8)> {
            match sign {
                '<' | '>' => Some((1, 2)),
                '+' | '-' => Some((3, 4)),
                '*' | '/' => Some((5, 6)),
                '^' => Some((10, 9)),
                _ => None,
            }
        }
        let mut left = self.operand()?;
        while let Some(&Token::Sign(sign)) = self.peek() {
            let Some((_, right)) = strength(sign).filter(|&(own, _)| own > weakest) else { break };
            self.at += 1;
            left = Expression::Operate(sign, Box::new(left), Box::new(self.expression(right - 1)?));
        }
        Ok(left)
    }

    fn operand<N: Number>(&mut self) -> Result<Expression<N>> {
        let token = self.peek().cloned().ok_or(Problem::UnexpectedEnd)?;
        self.at += 1;
        match token {
            Token::Number(text) => N::parse(&text).map(Expression::Constant).ok_or(Problem::BadNumber(text)),
            Token::Name(name) if self.accept('(') => Ok(Expression::Call(name, self.list(')')?)),
            Token::Name(name) => Ok(Expression::Variable(name)),
            Token::Sign('-') => Ok(Expression::Negate(Box::new(self.expression(6)?))),
            Token::Sign('[') => Ok(Expression::List(self.list(']')?)),
            Token::Sign('(') => {
                let inner = self.expression(0)?;
                self.expect(')')?;
                Ok(inner)
            }
            other => Err(Problem::UnexpectedToken(other)),
        }
    }

    fn list<N: Number>(&mut self, end: char) -> Result<Vec<Expression<N>>> {
        let mut items = Vec::new();
        while !self.accept(end) {
            if !items.is_empty() {
                self.expect(',')?;
            }
            items.push(self.expression(0)?);
        }
        Ok(items)
    }
}

// ---- Evaluation -------------------------------------------------------------------------------------------------

type Builtin<N> = Box<dyn Fn(&[Value<N>]) -> Result<Value<N>>>;

struct Machine<N> {
    builtins: BTreeMap<&'static str, (usize, Builtin<N>)>,
    functions: BTreeMap<String, Rc<Function<N>>>,
    scopes: Vec<BTreeMap<String, Value<N>>>,
}

fn apply<N: Number>(value: &Value<N>, change: &dyn Fn(N) -> Result<N>) -> Result<Value<N>> {
    match value {
        Value::One(number) => change(*number).map(Value::One),
        Value::Many(values) => values.iter().map(|value| apply(value, change)).collect::<Result<_>>().map(Value::Many),
    }
}

fn numbers<N: Number>(value: &Value<N>) -> Box<dyn Iterator<Item = N> + '_> {
    match value {
        Value::One(number) => Box::new(std::iter::once(*number)),
        Value::Many(values) => Box::new(values.iter().flat_map(numbers)),
    }
}

fn single<N: Number>(value: &Value<N>) -> Result<N> {
    match value {
        Value::One(number) => Ok(*number),
        Value::Many(_) => Err(Problem::NotANumber),
    }
}

impl<N: Number + 'static> Machine<N> {
    fn new() -> Machine<N> {
        let mut machine =
            Machine { builtins: BTreeMap::new(), functions: BTreeMap::new(), scopes: vec![BTreeMap::new()] };
        machine.builtin("sum", 1, |of| Ok(Value::One(numbers(&of[0]).fold(N::ZERO, |sum, number| sum + number))));
        machine.builtin("product", 1, |of| Ok(Value::One(numbers(&of[0]).fold(N::ONE, |all, number| all * number))));
        machine.builtin("max", 1, |of| {
            numbers(&of[0])
                .reduce(|best, number| if number > best { number } else { best })
                .map(Value::One)
                .ok_or(Problem::Undefined("the maximum of nothing"))
        });
        machine.builtin("range", 2, |of| {
            let (from, to) = (single(&of[0])?, single(&of[1])?);
            let next = |number: &N| Some(*number + N::ONE);
            Ok(Value::Many(std::iter::successors(Some(from), next).take_while(|n| *n <= to).map(Value::One).collect()))
        });
        machine.builtin("integral", 1, |of| {
            apply(&of[0], &|number| Ok(if number.is_integral() { N::ONE } else { N::ZERO }))
        });
        machine.builtin("if", 3, |of| Ok(if single(&of[0])? == N::ZERO { of[2].clone() } else { of[1].clone() }));
        machine
    }

    fn builtin(
        &mut self,
        name: &'static str,
        arguments: usize,
        function: impl Fn(&[Value<N>]) -> Result<Value<N>> + 'static,
    ) {
        self.builtins.insert(name, (arguments, Box::new(function)));
    }

    fn operate(sign: char, left: &Value<N>, right: &Value<N>) -> Result<Value<N>> {
        let truth = |holds: bool| Ok(if holds { N::ONE } else { N::ZERO });
        let pair = |a: N, b: N| match sign {
            '+' => Ok(a + b),
            '-' => Ok(a - b),
            '*' => Ok(a * b),
            '/' if b == N::ZERO => Err(Problem::Undefined("division by zero")),
            '/' => Ok(a / b),
            '^' => a.power(b).ok_or(Problem::Undefined("that power")),
            '<' => truth(a < b),
            '>' => truth(a > b),
            _ => unreachable!("the parser knows no {sign}"),
        };
        match (left, right) {
            (_, Value::One(b)) => apply(left, &|a| pair(a, *b)),
            (Value::One(a), _) => apply(right, &|b| pair(*a, b)),
            (Value::Many(left), Value::Many(right)) => {
                left.iter().zip(right).map(|(a, b)| Self::operate(sign, a, b)).collect::<Result<_>>().map(Value::Many)
            }
        }
    }

    fn evaluate(&mut self, expression: &Expression<N>) -> Result<Value<N>> {
        match expression {
            Expression::Constant(number) => Ok(Value::One(*number)),
            Expression::Variable(name) => self
                .scopes
                .iter()
                .rev()
                .find_map(|scope| scope.get(name))
                .cloned()
                .ok_or_else(|| Problem::Unknown(name.clone())),
            Expression::List(items) => self.evaluate_all(items).map(Value::Many),
            Expression::Negate(inner) => apply(&self.evaluate(inner)?, &|number| Ok(-number)),
            Expression::Operate(sign, left, right) => {
                let (left, right) = (self.evaluate(left)?, self.evaluate(right)?);
                Self::operate(*sign, &left, &right)
            }
            Expression::Call(name, arguments) => {
                let arguments = self.evaluate_all(arguments)?;
                self.call(name, arguments)
            }
        }
    }

    fn evaluate_all(&mut self, expressions: &[Expression<N>]) -> Result<Vec<Value<N>>> {
        expressions.iter().map(|expression| self.evaluate(expression)).collect()
    }

    fn call(&mut self, name: &str, arguments: Vec<Value<N>>) -> Result<Value<N>> {
        let check = |expected: usize| match arguments.len() {
            given if given == expected => Ok(()),
            given => Err(Problem::WrongArguments { name: name.to_owned(), expected, given }),
        };
        if let Some((expected, builtin)) = self.builtins.get(name) {
            check(*expected)?;
            return builtin(&arguments);
        }
        let function = self.functions.get(name).cloned().ok_or_else(|| Problem::Unknown(name.to_owned()))?;
        check(function.parameters.len())?;
        self.scopes.push(function.parameters.iter().cloned().zip(arguments).collect());
        let result = self.evaluate(&function.body);
        self.scopes.pop();
        result
    }

    /// Runs a program and hands each value that it shows to `show`.
    fn run(&mut self, text: &str, mut show: impl FnMut(&Value<N>)) -> Result<()> {
        for statement in Parser::new(text)?.program()? {
            match statement {
                Statement::Show(expression) => show(&self.evaluate(&expression)?),
                Statement::Assign(name, expression) => {
                    let value = self.evaluate(&expression)?;
                    self.scopes[0].insert(name, value);
                }
                Statement::Define(name, function) => {
                    self.functions.insert(name, function);
                }
            }
        }
        Ok(())
    }
}

fn main() -> std::process::ExitCode {
    let given: Vec<String> = std::env::args().skip(1).collect();
    let text =
        if given.is_empty() { "square(x) = x ^ 2; sum(square(range(1, 10)) / 3)".to_owned() } else { given.join(" ") };
    let exact = Machine::<Fraction>::new().run(&text, |value| println!("{value}"));
    let rounded = Machine::<f64>::new().run(&text, |value| println!("about {value:.3}"));
    match exact.and(rounded) {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("hello: {problem}");
            std::process::ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>> {
        let mut lines = Vec::new();
        Machine::<Fraction>::new().run(text, |value| lines.push(value.to_string()))?;
        Ok(lines)
    }

    #[test]
    fn operators_bind_as_in_school() {
        assert_eq!(shown("1 + 2 * 3 ^ 2").unwrap(), ["19"]);
        assert_eq!(shown("2 ^ 3 ^ 2; 8 - 4 - 2; -2 ^ 2").unwrap(), ["512", "2", "-4"]);
    }

    #[test]
    fn lists_are_added_by_item() {
        assert_eq!(shown("[1, 2] + [0.5, 1] * 2").unwrap(), ["[2, 4]"]);
    }

    #[test]
    fn what_is_not_there_is_told() {
        assert_eq!(shown("1 / 0"), Err(Problem::Undefined("division by zero")));
        assert_eq!(shown("f(1)"), Err(Problem::Unknown("f".to_owned())));
    }
}
