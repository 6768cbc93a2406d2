//! Label selectors, from a query (`a=b,c in (d,e),!f`) and from bodies
//! (`matchLabels`, `matchExpressions`).

use serde_json::Value;

use crate::json::{list, pairs, text};

/// All of its requirements must hold; without any it means everything.
#[derive(Debug, Default, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LabelSelector(Vec<Requirement>);

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Requirement {
    key: String,
    operator: Operator,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Operator {
    In,
    NotIn,
    Exists,
    Absent,
    Above,
    Below,
    /// One that is not known: it never holds.
    Unknown,
}

impl LabelSelector {
    /// Reads a query's selector; the error is the part that is none.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        split(text)
            .into_iter()
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(|part| parse(part).ok_or_else(|| format!("unable to parse requirement: {part}")))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Reads a body's selector; none is there when it means nothing.
    pub(crate) fn read(value: &Value) -> Option<Self> {
        value.as_object()?;
        let labels = pairs(value, "/matchLabels").map(|(key, value)| equal(key, value));
        let expressions = list(value, "/matchExpressions").iter().map(expression);
        Some(Self(labels.chain(expressions).collect()))
    }

    /// Reads a plain map, such as `nodeSelector`.
    pub(crate) fn of(labels: &Value) -> Self {
        Self(
            pairs(labels, "")
                .map(|(key, value)| equal(key, value))
                .collect(),
        )
    }

    /// Reads a list of expressions, such as a node selector term's.
    pub(crate) fn expressions(all: &[Value]) -> Self {
        Self(all.iter().map(expression).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn matches(&self, labels: Option<&Value>) -> bool {
        self.0.iter().all(|one| {
            let found = labels.and_then(|labels| labels.get(&one.key));
            one.holds(found.and_then(Value::as_str))
        })
    }
}

impl Requirement {
    fn holds(&self, found: Option<&str>) -> bool {
        let among = |text: &str| self.values.iter().any(|value| value == text);
        match self.operator {
            Operator::In => found.is_some_and(among),
            Operator::NotIn => !found.is_some_and(among),
            Operator::Exists => found.is_some(),
            Operator::Absent => found.is_none(),
            Operator::Above => self
                .order(found)
                .is_some_and(|(found, bound)| found > bound),
            Operator::Below => self
                .order(found)
                .is_some_and(|(found, bound)| found < bound),
            Operator::Unknown => false,
        }
    }

    fn order(&self, found: Option<&str>) -> Option<(i64, i64)> {
        let bound = self.values.first()?.parse().ok()?;
        Some((found?.parse().ok()?, bound))
    }
}

fn equal(key: &str, value: &str) -> Requirement {
    requirement(key, Operator::In, vec![value.to_owned()])
}

fn requirement(key: &str, operator: Operator, values: Vec<String>) -> Requirement {
    Requirement {
        key: key.trim().to_owned(),
        operator,
        values,
    }
}

fn expression(value: &Value) -> Requirement {
    let operator = match text(value, "/operator") {
        "In" => Operator::In,
        "NotIn" => Operator::NotIn,
        "Exists" => Operator::Exists,
        "DoesNotExist" => Operator::Absent,
        "Gt" => Operator::Above,
        "Lt" => Operator::Below,
        _ => Operator::Unknown,
    };
    let values = list(value, "/values").iter().filter_map(Value::as_str);
    requirement(
        text(value, "/key"),
        operator,
        values.map(str::to_owned).collect(),
    )
}

/// Parts between commas that are not inside brackets.
fn split(text: &str) -> Vec<&str> {
    let mut depth = 0;
    text.split(|letter| {
        depth += i32::from(letter == '(') - i32::from(letter == ')');
        letter == ',' && depth == 0
    })
    .collect()
}

fn parse(part: &str) -> Option<Requirement> {
    if let Some(key) = part.strip_prefix('!') {
        return Some(requirement(key, Operator::Absent, Vec::new()));
    }
    if let Some((before, values)) = part.split_once('(') {
        let values = values.strip_suffix(')')?.split(',').map(str::trim);
        let mut words = before.split_whitespace();
        let key = words.next()?;
        let operator = match words.next()? {
            "in" => Operator::In,
            "notin" => Operator::NotIn,
            _ => return None,
        };
        return Some(requirement(
            key,
            operator,
            values.map(str::to_owned).collect(),
        ));
    }
    if let Some((key, value)) = part.split_once("!=") {
        return Some(requirement(
            key,
            Operator::NotIn,
            vec![value.trim().to_owned()],
        ));
    }
    match part.split_once("==").or_else(|| part.split_once('=')) {
        Some((key, value)) => Some(equal(key, value.trim())),
        None if part.contains(char::is_whitespace) => None,
        None => Some(requirement(part, Operator::Exists, Vec::new())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_query_selects_by_every_kind_of_requirement() {
        let labels = json!({"app": "node-placeholder", "tier": "a", "n": "5"});
        let check = |text: &str, expected: bool| {
            let selector = LabelSelector::parse(text).expect(text);
            assert_eq!(selector.matches(Some(&labels)), expected, "{text}");
        };
        check("", true);
        check("app=node-placeholder", true);
        check("app==node-placeholder,tier in (a, b)", true);
        check("tier notin (a,b)", false);
        check("zone notin (a)", true);
        check("app!=other", true);
        check("app", true);
        check("!app", false);
        check("!zone", true);
        assert!(LabelSelector::parse("a b").is_err());
    }

    #[test]
    fn a_body_selects_by_labels_and_expressions() {
        let body = json!({
            "matchLabels": {"a": "b"},
            "matchExpressions": [{"key": "n", "operator": "Gt", "values": ["4"]}],
        });
        let selector = LabelSelector::read(&body).expect("a selector");
        assert!(selector.matches(Some(&json!({"a": "b", "n": "5"}))));
        assert!(!selector.matches(Some(&json!({"a": "b", "n": "4"}))));
        assert!(LabelSelector::read(&json!({})).expect("all").matches(None));
        assert_eq!(LabelSelector::read(&json!(null)), None);
    }
}
