//! The words of an expression.

/// One word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Ident(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// An operator or a bracket.
    Symbol(&'static str),
}

/// Longer symbols come before their beginnings.
const SYMBOLS: [&str; 18] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "(", ")", "[", "]", ".", ",", "?", ":", "-",
];

/// Splits an expression into words.
///
/// # Errors
/// Names what is not part of the subset.
pub(super) fn tokens(source: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = source.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, tail) = if first.is_ascii_alphabetic() || first == '_' {
            word(rest)
        } else if first.is_ascii_digit() {
            number(rest)?
        } else if first == '\'' || first == '"' {
            text(rest, first)?
        } else {
            symbol(rest)?
        };
        tokens.push(token);
        rest = tail.trim_start();
    }
    Ok(tokens)
}

fn word(source: &str) -> (Token, &str) {
    let end = source
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .unwrap_or(source.len());
    let (word, rest) = source.split_at(end);
    if word == "in" {
        (Token::Symbol("in"), rest)
    } else {
        (Token::Ident(word.to_owned()), rest)
    }
}

fn number(source: &str) -> Result<(Token, &str), String> {
    let end = source
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(source.len());
    let (number, rest) = source.split_at(end);
    let bad = || format!("number {number:?}");
    if rest.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return Err(bad());
    }
    let token = if number.contains('.') {
        Token::Float(number.parse().map_err(|_| bad())?)
    } else {
        Token::Int(number.parse().map_err(|_| bad())?)
    };
    Ok((token, rest))
}

fn text(source: &str, quote: char) -> Result<(Token, &str), String> {
    let mut text = String::new();
    let mut chars = source.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            c if c == quote => return Ok((Token::Text(text), &source[at + 1..])),
            '\\' => match chars.next() {
                Some((_, 'n')) => text.push('\n'),
                Some((_, 't')) => text.push('\t'),
                Some((_, c @ ('\\' | '\'' | '"'))) => text.push(c),
                Some((_, c)) => return Err(format!("escape \\{c}")),
                None => break,
            },
            c => text.push(c),
        }
    }
    Err("a string without end".to_owned())
}

fn symbol(source: &str) -> Result<(Token, &str), String> {
    match SYMBOLS.iter().find(|symbol| source.starts_with(**symbol)) {
        Some(symbol) => Ok((Token::Symbol(symbol), &source[symbol.len()..])),
        None => Err(format!(
            "operator {:?}",
            source.chars().next().unwrap_or_default()
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_is_split_into_words() {
        assert_eq!(
            tokens("self.a>=-1 && oldSelf in ['x\\'y', \"\"]"),
            Ok(vec![
                Token::Ident("self".to_owned()),
                Token::Symbol("."),
                Token::Ident("a".to_owned()),
                Token::Symbol(">="),
                Token::Symbol("-"),
                Token::Int(1),
                Token::Symbol("&&"),
                Token::Ident("oldSelf".to_owned()),
                Token::Symbol("in"),
                Token::Symbol("["),
                Token::Text("x'y".to_owned()),
                Token::Symbol(","),
                Token::Text(String::new()),
                Token::Symbol("]"),
            ])
        );
        assert_eq!(tokens("1.5"), Ok(vec![Token::Float(1.5)]));
        for (source, error) in [
            ("a + b", "operator '+'"),
            ("'a", "a string without end"),
            ("1u", "number \"1\""),
        ] {
            assert_eq!(tokens(source), Err(error.to_owned()));
        }
    }
}
