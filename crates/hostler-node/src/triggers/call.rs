//! One message for a function: passed on, answered, and told of.

use std::sync::Arc;
use std::time::Duration;

use async_nats::Message;
use hostler_wire::agent::TRACE_HEADER;
use hostler_wire::nats::event::{FunctionExecFailed, FunctionExecSucceeded};
use hostler_wire::nats::{EventData, LogLevel};

use super::Computed;
use crate::relay::{Relay, Speaker};
use crate::report::report;
use crate::slots::{Slots, Trigger, TriggerError, TriggerReply};

/// What all calls of one subject of one function have in common.
pub(super) struct Call {
    speaker: Speaker,
    /// The subscribed pattern, which events name.
    pattern: String,
    computed: Arc<Computed>,
    succeeded: metrics::Counter,
    failed: metrics::Counter,
}

impl Call {
    pub(super) fn new(speaker: &Speaker, pattern: &str, computed: &Arc<Computed>) -> Self {
        let labels = [
            ("namespace", speaker.namespace.to_string()),
            ("workload_name", speaker.name.to_string()),
        ];
        Self {
            speaker: speaker.clone(),
            pattern: pattern.to_owned(),
            computed: Arc::clone(computed),
            succeeded: metrics::counter!("hostler_function_triggers_total", &labels),
            failed: metrics::counter!("hostler_function_failed_triggers_total", &labels),
        }
    }

    /// Runs the function once; answers with its data only, or not at all.
    pub(super) async fn run(
        &self,
        client: &async_nats::Client,
        slots: &Slots,
        relay: &Relay,
        message: Message,
    ) {
        let traceparent = message
            .headers
            .as_ref()
            .and_then(|headers| headers.get(TRACE_HEADER))
            .map(ToString::to_string);
        let trigger = Trigger {
            subject: message.subject.to_string(),
            payload: message.payload,
            traceparent,
        };
        match slots.trigger(self.speaker.slot, trigger).await {
            Ok(TriggerReply { payload, runtime }) => {
                if let Some(reply) = message.reply
                    && let Err(error) = client.publish(reply, payload).await
                {
                    tracing::debug!(%error, "could not answer a trigger");
                }
                self.succeeded(relay, runtime);
            }
            Err(error) => self.failed(relay, &error),
        }
    }

    fn succeeded(&self, relay: &Relay, runtime: Duration) {
        self.computed.add(runtime);
        self.succeeded.increment(1);
        let nanos = runtime.as_nanos();
        let data = FunctionExecSucceeded {
            workload_name: self.speaker.name.to_string(),
            trigger_subject: self.pattern.clone(),
            elapsed_nanos: i64::try_from(nanos).unwrap_or(i64::MAX),
            namespace: self.speaker.namespace.to_string(),
        };
        let namespace = &self.speaker.namespace;
        relay.function_event(namespace, EventData::FunctionExecSucceeded(data));
        let name = &self.speaker.name;
        let text = format!("Function {name} execution succeeded ({nanos}ns)");
        relay.log(&self.speaker, LogLevel::DEBUG, text);
    }

    fn failed(&self, relay: &Relay, error: &TriggerError) {
        self.failed.increment(1);
        let error = report(error).to_string();
        let text = format!("Function execution failed: {error}");
        let data = FunctionExecFailed {
            workload_name: self.speaker.name.to_string(),
            trigger_subject: self.pattern.clone(),
            namespace: self.speaker.namespace.to_string(),
            error,
        };
        let namespace = &self.speaker.namespace;
        relay.function_event(namespace, EventData::FunctionExecFailed(data));
        relay.log(&self.speaker, LogLevel::ERROR, text);
    }
}
