//! A layer before moto that loses replies, refuses calls, and keeps
//! EC2's word about idempotency tokens, which moto does not.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Response};
use futures::stream;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::moto::ids;

/// A call's parameters.
pub(crate) type Words = BTreeMap<String, String>;

/// What is done to calls of one action.
#[derive(Clone)]
pub(crate) enum Rule {
    /// Carried out, and the answer is lost.
    Lose,
    /// Answered with this status and code, and not carried out.
    Refuse(u16, &'static str),
    /// Answered with this text, and not carried out.
    Say(String),
    /// Not answered, and not carried out.
    Hold,
}

/// Which calls, how many of them yet, and what is done to them.
type Ruled = (Option<(String, String)>, u32, Rule);

#[derive(Default)]
struct Known {
    /// By action.
    rules: HashMap<String, Vec<Ruled>>,
    calls: Vec<Words>,
    /// Launches by token: their parameters and their answer.
    launches: HashMap<String, (Words, String)>,
    ended: Vec<String>,
}

/// The layer. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Layer {
    pub(crate) url: String,
    moto: String,
    known: Arc<Mutex<Known>>,
    seen: Arc<watch::Sender<usize>>,
}

impl Layer {
    pub(crate) async fn start(moto: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let layer = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            moto: moto.to_owned(),
            known: Arc::default(),
            seen: Arc::default(),
        };
        let router = Router::new().fallback(answer).with_state(layer.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        layer
    }

    /// The next `times` calls of this action, all of them or those with this
    /// parameter, are dealt with so.
    pub(crate) fn rule(&self, action: &str, only: Option<(&str, &str)>, times: u32, rule: Rule) {
        let only = only.map(|(key, value)| (key.to_owned(), value.to_owned()));
        let mut known = self.known.lock().unwrap();
        let rules = known.rules.entry(action.to_owned()).or_default();
        rules.push((only, times, rule));
    }

    /// No rules any more.
    pub(crate) fn heal(&self) {
        self.known.lock().unwrap().rules.clear();
    }

    /// The calls of an action so far.
    pub(crate) fn calls(&self, action: &str) -> Vec<Words> {
        let known = self.known.lock().unwrap();
        let of = |words: &&Words| words.get("Action").is_some_and(|it| it == action);
        known.calls.iter().filter(of).cloned().collect()
    }

    /// Waits until so many calls of an action were made.
    pub(crate) async fn called(&self, action: &str, times: usize) {
        let mut seen = self.seen.subscribe();
        while self.calls(action).len() < times {
            seen.changed().await.unwrap();
        }
    }

    fn note(&self, words: &Words) -> Option<Rule> {
        let mut known = self.known.lock().unwrap();
        known.calls.push(words.clone());
        self.seen.send_modify(|count| *count += 1);
        let rules = known.rules.get_mut(words.get("Action")?)?;
        let fits = |only: &Option<(String, String)>| {
            only.as_ref()
                .is_none_or(|(key, value)| words.get(key) == Some(value))
        };
        let found = rules
            .iter_mut()
            .find(|(only, times, _)| *times > 0 && fits(only))?;
        found.1 -= 1;
        Some(found.2.clone())
    }

    /// What EC2 says of a token that it knows.
    fn known_launch(&self, words: &Words) -> Option<(u16, String)> {
        let known = self.known.lock().unwrap();
        let (before, answer) = known.launches.get(words.get("ClientToken")?)?;
        let is_over = ids(answer).iter().any(|id| known.ended.contains(id));
        Some(match before == words {
            _ if is_over => (400, refusal("IdempotentInstanceTerminated")),
            true => (200, answer.clone()),
            false => (400, refusal("IdempotentParameterMismatch")),
        })
    }

    fn remember(&self, words: &Words, answer: &str) {
        let mut known = self.known.lock().unwrap();
        match words.get("Action").map(String::as_str) {
            Some("RunInstances") if !words.contains_key("DryRun") => {
                let token = words.get("ClientToken").cloned().unwrap_or_default();
                known
                    .launches
                    .insert(token, (words.clone(), answer.to_owned()));
            }
            Some("TerminateInstances") => known.ended.extend(words.get("InstanceId.1").cloned()),
            _ => {}
        }
    }

    async fn forward(&self, headers: &HeaderMap, body: Bytes, words: &Words) -> (u16, String) {
        let is_launch = words
            .get("Action")
            .is_some_and(|action| action == "RunInstances");
        if let Some(answer) = self.known_launch(words).filter(|_| is_launch) {
            return answer;
        }
        let mut call = reqwest::Client::new().post(&self.moto).body(body);
        for name in ["authorization", "content-type", "x-amz-date"] {
            call = call.header(name, headers.get(name).cloned().unwrap());
        }
        let answer = call.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        if status == 200 {
            self.remember(words, &text);
        }
        (status, text)
    }
}

async fn answer(State(layer): State<Layer>, headers: HeaderMap, body: Bytes) -> Response<Body> {
    let words: Words = form_urlencoded::parse(&body).into_owned().collect();
    let (status, text) = match layer.note(&words) {
        Some(Rule::Hold) => std::future::pending().await,
        Some(Rule::Refuse(status, code)) => (status, refusal(code)),
        Some(Rule::Say(text)) => (200, text),
        Some(Rule::Lose) => {
            layer.forward(&headers, body, &words).await;
            let cut = stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
            return Response::new(Body::from_stream(cut));
        }
        None => layer.forward(&headers, body, &words).await,
    };
    let answer = Response::builder()
        .status(status)
        .header("content-type", "text/xml");
    answer.body(Body::from(text)).unwrap()
}

fn refusal(code: &str) -> String {
    let error = format!("<Error><Code>{code}</Code><Message>said by the layer</Message></Error>");
    format!("<Response><Errors>{error}</Errors><RequestID>0</RequestID></Response>")
}
