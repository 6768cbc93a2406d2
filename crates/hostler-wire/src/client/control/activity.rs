//! `/activity`: what happened, and what happens.

use reqwest::Method;

use super::super::error::ClientError;
use super::super::sse::EventStream;
use super::ControlClient;
use crate::rest::{ActivityEntry, ActivityQuery, Page};

impl ControlClient {
    /// `GET /activity`: one page of history.
    pub async fn activity(
        &self,
        query: &ActivityQuery,
    ) -> Result<Page<ActivityEntry>, ClientError> {
        self.get(&["activity"]).query(query).answer().await
    }

    /// `GET /activity/live`: each entry as it is made, until the stream is
    /// dropped; with `after`, first those made since.
    pub async fn activity_live(
        &self,
        query: &ActivityQuery,
    ) -> Result<EventStream<ActivityEntry>, ClientError> {
        let call = self.unhurried(Method::GET, &["activity", "live"]);
        call.query(query).events().await
    }
}
