//! From words to an expression, by recursive descent.

use serde_json::{Number, Value};

use super::lexer::{self, Token};

/// Deep enough for any rule that a person writes.
const MAX_DEPTH: usize = 64;

/// An expression of the subset.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    Literal(Value),
    List(Vec<Expr>),
    This,
    OldSelf,
    Field(Box<Expr>, String),
    Index(Box<Expr>, Box<Expr>),
    Not(Box<Expr>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Compare(Comparison, Box<Expr>, Box<Expr>),
    /// Condition, then, else.
    If(Box<(Expr, Expr, Expr)>),
    /// Whether a field is there.
    Has(Box<Expr>, String),
    Size(Box<Expr>),
    /// A test of one string against another.
    Test(Test, Box<Expr>, Box<Expr>),
}

/// An operator that compares two values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
}

/// A function of two strings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Test {
    StartsWith,
    EndsWith,
    Contains,
}

impl Expr {
    /// Whether the expression looks at the old value.
    pub(super) fn names_old_self(&self) -> bool {
        match self {
            Self::OldSelf => true,
            Self::Literal(_) | Self::This => false,
            Self::List(items) => items.iter().any(Self::names_old_self),
            Self::Field(inner, _) | Self::Has(inner, _) | Self::Not(inner) | Self::Size(inner) => {
                inner.names_old_self()
            }
            Self::Index(a, b)
            | Self::And(a, b)
            | Self::Or(a, b)
            | Self::Compare(_, a, b)
            | Self::Test(_, a, b) => a.names_old_self() || b.names_old_self(),
            Self::If(parts) => {
                parts.0.names_old_self() || parts.1.names_old_self() || parts.2.names_old_self()
            }
        }
    }
}

/// Parses a whole expression.
///
/// # Errors
/// Names what is not part of the subset.
pub(super) fn parse(source: &str) -> Result<Expr, String> {
    let mut parser = Parser {
        tokens: lexer::tokens(source)?,
        at: 0,
        depth: 0,
    };
    let expression = parser.expression()?;
    match parser.next() {
        None => Ok(expression),
        Some(token) => Err(unexpected(&token)),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
}

impl Parser {
    fn expression(&mut self) -> Result<Expr, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err("too many brackets".to_owned());
        }
        let condition = self.or()?;
        let expression = if self.take("?") {
            let then = self.expression()?;
            self.expect(":")?;
            Expr::If(Box::new((condition, then, self.expression()?)))
        } else {
            condition
        };
        self.depth -= 1;
        Ok(expression)
    }

    fn or(&mut self) -> Result<Expr, String> {
        let mut left = self.and()?;
        while self.take("||") {
            left = Expr::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr, String> {
        let mut left = self.comparison()?;
        while self.take("&&") {
            left = Expr::And(Box::new(left), Box::new(self.comparison()?));
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expr, String> {
        let left = self.unary()?;
        let operators = [
            ("==", Comparison::Equal),
            ("!=", Comparison::NotEqual),
            ("<", Comparison::Less),
            ("<=", Comparison::LessOrEqual),
            (">", Comparison::Greater),
            (">=", Comparison::GreaterOrEqual),
            ("in", Comparison::In),
        ];
        for (symbol, operator) in operators {
            if self.take(symbol) {
                return Ok(Expr::Compare(
                    operator,
                    Box::new(left),
                    Box::new(self.unary()?),
                ));
            }
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, String> {
        if self.take("!") {
            return Ok(Expr::Not(Box::new(self.unary()?)));
        }
        if self.take("-") {
            return match self.next() {
                Some(Token::Int(number)) => Ok(Expr::Literal(Value::from(-number))),
                Some(Token::Float(number)) => Ok(float(-number)),
                _ => Err("operator '-'".to_owned()),
            };
        }
        let primary = self.primary()?;
        self.members(primary)
    }

    fn primary(&mut self) -> Result<Expr, String> {
        match self.next() {
            Some(Token::Text(text)) => Ok(Expr::Literal(Value::String(text))),
            Some(Token::Int(number)) => Ok(Expr::Literal(Value::from(number))),
            Some(Token::Float(number)) => Ok(float(number)),
            Some(Token::Symbol("(")) => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Some(Token::Symbol("[")) => Ok(Expr::List(self.arguments("]")?)),
            Some(Token::Ident(name)) => self.identifier(&name),
            Some(token) => Err(unexpected(&token)),
            None => Err("an expression without end".to_owned()),
        }
    }

    fn identifier(&mut self, name: &str) -> Result<Expr, String> {
        if self.take("(") {
            let mut arguments = self.arguments(")")?;
            return match (name, arguments.pop(), arguments.is_empty()) {
                ("has", Some(Expr::Field(object, field)), true) => Ok(Expr::Has(object, field)),
                ("size", Some(value), true) => Ok(Expr::Size(Box::new(value))),
                _ => Err(format!("function {name:?}")),
            };
        }
        match name {
            "self" => Ok(Expr::This),
            "oldSelf" => Ok(Expr::OldSelf),
            "true" => Ok(Expr::Literal(Value::Bool(true))),
            "false" => Ok(Expr::Literal(Value::Bool(false))),
            "null" => Ok(Expr::Literal(Value::Null)),
            _ => Err(format!("name {name:?}")),
        }
    }

    /// Fields, indices and methods after a value.
    fn members(&mut self, mut value: Expr) -> Result<Expr, String> {
        loop {
            if self.take("[") {
                let index = self.expression()?;
                self.expect("]")?;
                value = Expr::Index(Box::new(value), Box::new(index));
            } else if self.take(".") {
                let Some(Token::Ident(name)) = self.next() else {
                    return Err("a field without name".to_owned());
                };
                value = if self.take("(") {
                    self.method(value, &name)?
                } else {
                    Expr::Field(Box::new(value), name)
                };
            } else {
                return Ok(value);
            }
        }
    }

    fn method(&mut self, value: Expr, name: &str) -> Result<Expr, String> {
        let test = match name {
            "size" => {
                self.expect(")")?;
                return Ok(Expr::Size(Box::new(value)));
            }
            "startsWith" => Test::StartsWith,
            "endsWith" => Test::EndsWith,
            "contains" => Test::Contains,
            _ => return Err(format!("function {name:?}")),
        };
        let argument = self.expression()?;
        self.expect(")")?;
        Ok(Expr::Test(test, Box::new(value), Box::new(argument)))
    }

    /// Expressions with commas between them, up to a closing bracket.
    fn arguments(&mut self, end: &'static str) -> Result<Vec<Expr>, String> {
        let mut arguments = Vec::new();
        while !self.take(end) {
            if !arguments.is_empty() {
                self.expect(",")?;
            }
            arguments.push(self.expression()?);
        }
        Ok(arguments)
    }

    fn next(&mut self) -> Option<Token> {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        token
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found =
            matches!(self.tokens.get(self.at), Some(Token::Symbol(other)) if *other == symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), String> {
        if self.take(symbol) {
            Ok(())
        } else {
            Err(format!("missing {symbol:?}"))
        }
    }
}

fn float(number: f64) -> Expr {
    Expr::Literal(Number::from_f64(number).map_or(Value::Null, Value::Number))
}

fn unexpected(token: &Token) -> String {
    match token {
        Token::Ident(name) => format!("name {name:?}"),
        Token::Text(text) => format!("text {text:?}"),
        Token::Int(number) => format!("number {number}"),
        Token::Float(number) => format!("number {number}"),
        Token::Symbol(symbol) => format!("operator {symbol:?}"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn operators_bind_as_in_cel() {
        let this = || Box::new(Expr::This);
        let number = |number: i64| Box::new(Expr::Literal(json!(number)));
        let is = |operator, value: i64| Box::new(Expr::Compare(operator, this(), number(value)));
        assert_eq!(
            parse("self == 1 || self > 2 && !(self < 3)"),
            Ok(Expr::Or(
                is(Comparison::Equal, 1),
                Box::new(Expr::And(
                    is(Comparison::Greater, 2),
                    Box::new(Expr::Not(is(Comparison::Less, 3)))
                ))
            ))
        );
    }

    #[test]
    fn old_self_is_found_anywhere() {
        for (source, expected) in [
            ("self == oldSelf", true),
            ("has(oldSelf.a) ? true : false", true),
            ("size(self.a) in [1, size(oldSelf)]", true),
            ("self.oldSelf == 1", false),
        ] {
            assert_eq!(
                parse(source).unwrap().names_old_self(),
                expected,
                "{source}"
            );
        }
    }

    #[test]
    fn nesting_has_an_end() {
        let source = format!("{}true{}", "(".repeat(100), ")".repeat(100));
        assert_eq!(parse(&source), Err("too many brackets".to_owned()));
    }
}
