//! The query of a request: the options of Kubernetes' verbs, decoded and no more.

use std::borrow::Cow;
use std::num::{IntErrorKind, ParseIntError};
use std::time::Duration;

use crate::status::Status;

/// The options that a request names. A parameter that appears twice counts as it first stood, but for `dryRun`.
#[derive(Debug, Default)]
pub(crate) struct Query<'a> {
    pub(crate) field_manager: Option<Cow<'a, str>>,
    pub(crate) field_validation: Option<Cow<'a, str>>,
    pub(crate) dry_run: Vec<Cow<'a, str>>,
    pub(crate) timeout: Option<Cow<'a, str>>,
    pub(crate) watch: bool,
    pub(crate) allow_watch_bookmarks: bool,
    pub(crate) send_initial_events: Option<bool>,
    pub(crate) timeout_seconds: Option<Cow<'a, str>>,
    pub(crate) resource_version: Option<Cow<'a, str>>,
    pub(crate) resource_version_match: Option<Cow<'a, str>>,
    pub(crate) label_selector: Option<Cow<'a, str>>,
    pub(crate) field_selector: Option<Cow<'a, str>>,
    pub(crate) limit: Option<Cow<'a, str>>,
    pub(crate) continue_token: Option<Cow<'a, str>>,
    pub(crate) include_object: Option<Cow<'a, str>>,
    pub(crate) propagation_policy: Option<Cow<'a, str>>,
    pub(crate) grace_period_seconds: Option<Cow<'a, str>>,
    pub(crate) pretty: Option<bool>,
}

impl<'a> Query<'a> {
    /// Reads the text after the `?`. Empty pairs, as in `?&a=b`, are passed over.
    pub(crate) fn parse(text: &'a str) -> Self {
        let mut query = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            query.set(&decode(name), decode(value));
        }
        query
    }

    fn set(&mut self, name: &str, value: Cow<'a, str>) {
        let slot = match name {
            "fieldManager" => &mut self.field_manager,
            "fieldValidation" => &mut self.field_validation,
            "timeout" => &mut self.timeout,
            "resourceVersion" => &mut self.resource_version,
            "resourceVersionMatch" => &mut self.resource_version_match,
            "labelSelector" => &mut self.label_selector,
            "fieldSelector" => &mut self.field_selector,
            "limit" => &mut self.limit,
            "timeoutSeconds" => &mut self.timeout_seconds,
            "continue" => &mut self.continue_token,
            "includeObject" => &mut self.include_object,
            "propagationPolicy" => &mut self.propagation_policy,
            "gracePeriodSeconds" => &mut self.grace_period_seconds,
            "dryRun" => return self.dry_run.push(value),
            "watch" => return self.watch = boolean(&value),
            "allowWatchBookmarks" => return self.allow_watch_bookmarks = boolean(&value),
            "sendInitialEvents" => return self.send_initial_events = Some(boolean(&value)),
            "pretty" => return self.pretty = Some(go_boolean(&value)),
            _ => return,
        };
        slot.get_or_insert(value);
    }

    /// The deadline that the client set for the answer, counted from the start of the request. Zero and what lies below
    /// set none.
    pub(crate) fn timeout(&self) -> Result<Option<Duration>, Status> {
        let Some(text) = self.timeout.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let parsed = go_duration(text).map_err(|why| {
            Status::bad_request(format!(
                "invalid timeout specified in the request URL - time: {why} {text:?}"
            ))
        })?;
        Ok(parsed.filter(|timeout| !timeout.is_zero()))
    }

    /// The version that the request names; `None` where it names none. The error is a message that the verbs word
    /// differently.
    pub(crate) fn revision(&self) -> Result<Option<u64>, String> {
        let Some(text) = self
            .resource_version
            .as_deref()
            .filter(|text| !text.is_empty())
        else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            format!("resourceVersion: Invalid value: {text:?}: strconv.ParseUint: parsing {text:?}: invalid syntax")
        })
    }

    /// The size of a page; `None` for everything at once.
    pub(crate) fn limit(&self) -> Result<Option<usize>, Status> {
        let limit = number(self.limit.as_deref())?;
        Ok(limit.and_then(|limit| usize::try_from(limit).ok()))
    }

    /// How long a watch lives; `None` where the server may choose.
    pub(crate) fn lifetime(&self) -> Result<Option<Duration>, Status> {
        let seconds = number(self.timeout_seconds.as_deref())?;
        Ok(seconds.map(Duration::from_secs))
    }
}

/// A number of which zero and what lies below mean none.
fn number(text: Option<&str>) -> Result<Option<u64>, Status> {
    let Some(text) = text else {
        return Ok(None);
    };
    let number: i64 = text.parse().map_err(|error: ParseIntError| {
        let why = match error.kind() {
            IntErrorKind::PosOverflow | IntErrorKind::NegOverflow => "value out of range",
            _ => "invalid syntax",
        };
        Status::bad_request(format!("strconv.ParseInt: parsing {text:?}: {why}"))
    })?;
    Ok(u64::try_from(number).ok().filter(|number| *number > 0))
}

fn boolean(value: &str) -> bool {
    // A bare `?watch` counts as true, as in Go's conversion of query parameters.
    !matches!(value.to_ascii_lowercase().as_str(), "0" | "false")
}

/// What Go takes for true.
fn go_boolean(value: &str) -> bool {
    matches!(value, "1" | "t" | "T" | "TRUE" | "true" | "True")
}

fn decode(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    Cow::Owned(percent_decode(&text.replace('+', " ")))
}

/// Replaces `%XX`; what is no valid escape stays as it is.
pub(crate) fn percent_decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        let escape = (bytes[index] == b'%')
            .then(|| text.get(index + 1..index + 3))
            .flatten()
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escape {
            Some(byte) => {
                decoded.push(byte);
                index += 3;
            }
            None => {
                decoded.push(bytes[index]);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// A duration as Go writes it: `2s`, `1m30s`, `-500ms`, and `0`. `None` lies below zero; the error is what Go says.
fn go_duration(text: &str) -> Result<Option<Duration>, &'static str> {
    const INVALID: &str = "invalid duration";
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if unsigned == "0" {
        return Ok(Some(Duration::ZERO));
    }
    if unsigned.is_empty() {
        return Err(INVALID);
    }
    let mut rest = unsigned;
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest
            .find(|character: char| !character.is_ascii_digit() && character != '.')
            .unwrap_or(rest.len());
        let number: f64 = rest[..digits].parse().map_err(|_| INVALID)?;
        rest = &rest[digits..];
        let unit_length = rest
            .find(|character: char| character.is_ascii_digit())
            .unwrap_or(rest.len());
        let seconds = match &rest[..unit_length] {
            "h" => 3600.0,
            "m" => 60.0,
            "s" => 1.0,
            "ms" => 1e-3,
            "us" | "µs" => 1e-6,
            "ns" => 1e-9,
            "" => return Err("missing unit in duration"),
            _ => return Err(INVALID),
        };
        total += Duration::try_from_secs_f64(number * seconds).map_err(|_| INVALID)?;
        rest = &rest[unit_length..];
    }
    Ok((!text.starts_with('-')).then_some(total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_pair_is_passed_over_and_escapes_are_decoded() {
        let query =
            Query::parse("&fieldManager=a%20b+c&fieldSelector=metadata.name%3Dx&dryRun=All");
        assert_eq!(query.field_manager.as_deref(), Some("a b c"));
        assert_eq!(query.field_selector.as_deref(), Some("metadata.name=x"));
        assert_eq!(query.dry_run, ["All"]);
    }

    #[test]
    fn timeouts_are_go_durations() {
        let seconds = |text: &str| Query::parse(&format!("timeout={text}")).timeout();
        assert_eq!(seconds("2s"), Ok(Some(Duration::from_secs(2))));
        assert_eq!(seconds("1m30s"), Ok(Some(Duration::from_secs(90))));
        assert_eq!(seconds("1500ms"), Ok(Some(Duration::from_millis(1500))));
        assert_eq!(seconds("0s"), Ok(None));
        assert_eq!(seconds("0"), Ok(None));
        assert_eq!(seconds("-1s"), Ok(None));
        assert_eq!(seconds("%2B1s"), Ok(Some(Duration::from_secs(1))));
        let refusal = |text: &str| seconds(text).map_err(|status| status.message);
        let refused = |why: &str| {
            Err(format!(
                "invalid timeout specified in the request URL - time: {why}"
            ))
        };
        assert_eq!(refusal("soon"), refused("invalid duration \"soon\""));
        assert_eq!(refusal("-"), refused("invalid duration \"-\""));
        assert_eq!(refusal("100"), refused("missing unit in duration \"100\""));
    }
}
