//! `/vms` and `/images`.

use hostler_core::id::{ImageId, NodeId, SnapshotId, VmId};
use reqwest::{Body, Method};
use serde::Serialize;

use super::super::console::{Console, ConsoleKind};
use super::super::error::ClientError;
use super::super::http::ByteStream;
use super::ControlClient;
use crate::rest::{
    Artifact, Explanation, Image, ImageCreate, ImageImport, ImageQuery, Page, Share, ShareCreate,
    ShareCreated, Snapshot, SnapshotCreate, UnclaimedMachine, Vm, VmAdopt, VmCreate, VmDuplicate,
    VmQuery, VmRename, VmUpdate,
};

const IDEMPOTENCY_HEADER: &str = "idempotency-key";

impl ControlClient {
    /// `POST /vms`. The same body may be sent again with the same key.
    pub async fn vm_create(&self, body: &VmCreate, key: &str) -> Result<Vm, ClientError> {
        let key = |builder: reqwest::RequestBuilder| builder.header(IDEMPOTENCY_HEADER, key);
        self.post(&["vms"]).with(key).json(body).answer().await
    }

    /// `POST /vms?dry_run=1`: where it would go.
    pub async fn vm_dry_run(&self, body: &VmCreate) -> Result<Explanation, ClientError> {
        let call = self.post(&["vms"]).query(&[("dry_run", 1)]);
        call.json(body).answer().await
    }

    /// `GET /vms`: one page.
    pub async fn vms(&self, query: &VmQuery) -> Result<Page<Vm>, ClientError> {
        self.get(&["vms"]).query(query).answer().await
    }

    /// `GET /vms/{id}`.
    pub async fn vm(&self, id: VmId) -> Result<Vm, ClientError> {
        self.get(&["vms", &id.to_string()]).answer().await
    }

    /// `POST /vms/{id}/{verb}`: start, stop, restart, pause, resume, restore.
    pub async fn vm_do(&self, id: VmId, verb: &str) -> Result<Vm, ClientError> {
        self.post(&["vms", &id.to_string(), verb]).answer().await
    }

    /// `POST /vms/{id}/stop?force=true`.
    pub async fn vm_stop_now(&self, id: VmId) -> Result<Vm, ClientError> {
        let call = self.post(&["vms", &id.to_string(), "stop"]);
        call.query(&[("force", true)]).answer().await
    }

    /// `PATCH /vms/{id}`.
    pub async fn vm_update(&self, id: VmId, body: &VmUpdate) -> Result<Vm, ClientError> {
        let call = self.call(Method::PATCH, &["vms", &id.to_string()]);
        call.json(body).answer().await
    }

    /// `POST /vms/{id}/rename`.
    pub async fn vm_rename(&self, id: VmId, name: &str) -> Result<Vm, ClientError> {
        let name = name.to_owned();
        self.vm_post(id, "rename", &VmRename { name }).await
    }

    /// `POST /vms/{id}/duplicate`.
    pub async fn vm_duplicate(&self, id: VmId, body: &VmDuplicate) -> Result<Vm, ClientError> {
        self.vm_post(id, "duplicate", body).await
    }

    async fn vm_post<T: serde::de::DeserializeOwned>(
        &self,
        id: VmId,
        verb: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let call = self.post(&["vms", &id.to_string(), verb]);
        call.json(body).answer().await
    }

    /// `DELETE /vms/{id}`: into the trash, or away at once.
    pub async fn vm_delete(&self, id: VmId, now: bool) -> Result<Vm, ClientError> {
        let call = self.delete(&["vms", &id.to_string()]);
        call.query(&[("now", now)]).answer().await
    }

    /// `GET /vms/{id}/explain`.
    pub async fn vm_explain(&self, id: VmId) -> Result<Explanation, ClientError> {
        let call = self.get(&["vms", &id.to_string(), "explain"]);
        call.answer().await
    }

    /// `GET /vms/unclaimed`.
    pub async fn vms_unclaimed(&self) -> Result<Vec<UnclaimedMachine>, ClientError> {
        self.get(&["vms", "unclaimed"]).answer().await
    }

    /// `POST /vms/unclaimed/{id}/adopt`.
    pub async fn vm_adopt(&self, id: VmId, body: &VmAdopt) -> Result<Vm, ClientError> {
        let call = self.post(&["vms", "unclaimed", &id.to_string(), "adopt"]);
        call.json(body).answer().await
    }

    /// `DELETE /vms/unclaimed/{id}`.
    pub async fn vm_unclaimed_delete(&self, id: VmId, node: NodeId) -> Result<(), ClientError> {
        let call = self.delete(&["vms", "unclaimed", &id.to_string()]);
        call.query(&[("slave_id", node)]).done().await
    }

    /// `GET /vms/{id}/snapshots`.
    pub async fn snapshots(&self, id: VmId) -> Result<Vec<Snapshot>, ClientError> {
        let call = self.get(&["vms", &id.to_string(), "snapshots"]);
        call.answer().await
    }

    /// `POST /vms/{id}/snapshots`.
    pub async fn snapshot_create(
        &self,
        id: VmId,
        body: &SnapshotCreate,
    ) -> Result<Snapshot, ClientError> {
        self.vm_post(id, "snapshots", body).await
    }

    /// `DELETE /vms/{id}/snapshots/{snapshot}`.
    pub async fn snapshot_delete(&self, id: VmId, snapshot: SnapshotId) -> Result<(), ClientError> {
        let (id, snapshot) = (id.to_string(), snapshot.to_string());
        let call = self.delete(&["vms", &id, "snapshots", &snapshot]);
        call.done().await
    }

    /// `POST /vms/{id}/snapshots/{snapshot}/rollback`.
    pub async fn snapshot_rollback(
        &self,
        id: VmId,
        snapshot: SnapshotId,
    ) -> Result<Vm, ClientError> {
        let (id, snapshot) = (id.to_string(), snapshot.to_string());
        let call = self.post(&["vms", &id, "snapshots", &snapshot, "rollback"]);
        call.answer().await
    }

    /// `GET /vms/{id}/shares`.
    pub async fn shares(&self, id: VmId) -> Result<Vec<Share>, ClientError> {
        let call = self.get(&["vms", &id.to_string(), "shares"]);
        call.answer().await
    }

    /// `POST /vms/{id}/shares`.
    pub async fn share_create(
        &self,
        id: VmId,
        body: &ShareCreate,
    ) -> Result<ShareCreated, ClientError> {
        self.vm_post(id, "shares", body).await
    }

    /// `DELETE /vms/{id}/shares/{share}`.
    pub async fn share_delete(&self, id: VmId, share: uuid::Uuid) -> Result<(), ClientError> {
        let (id, share) = (id.to_string(), share.to_string());
        self.delete(&["vms", &id, "shares", &share]).done().await
    }

    /// `GET /vms/{id}/screenshot`: a PNG.
    pub async fn vm_screenshot(&self, id: VmId) -> Result<ByteStream, ClientError> {
        let call = self.get(&["vms", &id.to_string(), "screenshot"]);
        call.bytes().await
    }

    /// `GET /vms/{id}/console/{kind}`.
    pub async fn vm_console(&self, id: VmId, kind: ConsoleKind) -> Result<Console, ClientError> {
        let id = id.to_string();
        let path = ["vms", &id, "console", kind.as_str()];
        let bearer = format!("Bearer {}", self.bearer);
        Console::open(&self.http, &path, ("authorization", &bearer)).await
    }

    /// `PUT /artifacts/{digest}?project=…`, of a disk in this format.
    pub async fn disk_put(
        &self,
        (digest, format): (&str, &str),
        project: &str,
        body: Body,
    ) -> Result<Artifact, ClientError> {
        let format = |builder: reqwest::RequestBuilder| builder.header("x-artifact-kind", format);
        self.put(digest, project, body).with(format).answer().await
    }

    /// `POST /images`.
    pub async fn image_create(&self, body: &ImageCreate) -> Result<Image, ClientError> {
        self.post(&["images"]).json(body).answer().await
    }

    /// `POST /images/import`.
    pub async fn image_import(&self, body: &ImageImport) -> Result<Image, ClientError> {
        self.post(&["images", "import"]).json(body).answer().await
    }

    /// `GET /images`.
    pub async fn images(&self, query: &ImageQuery) -> Result<Vec<Image>, ClientError> {
        self.get(&["images"]).query(query).answer().await
    }

    /// `DELETE /images/{id}`.
    pub async fn image_delete(&self, id: ImageId) -> Result<(), ClientError> {
        self.delete(&["images", &id.to_string()]).done().await
    }
}
