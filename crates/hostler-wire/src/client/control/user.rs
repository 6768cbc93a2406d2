//! `/auth`, `/users`, `/roles`, `/projects` and `/audit`.

use hostler_core::id::UserId;
use reqwest::Method;

use super::super::error::ClientError;
use super::ControlClient;
use crate::rest::{
    AuditEntry, AuditQuery, AuditVerdict, LoggedIn, Login, Me, Member, MemberSet, Message, Page,
    PasswordChange, PasswordReset, PasswordWasReset, Project, ProjectCreate, ProjectUpdate, Role,
    RoleSet, SignInBegin, SignInBegun, SignInRedeem, User, UserCreate, UserCreated, UserUpdate,
};

impl ControlClient {
    /// `POST /auth/login`.
    pub async fn login(&self, body: &Login) -> Result<LoggedIn, ClientError> {
        self.post(&["auth", "login"]).json(body).answer().await
    }

    /// `POST /auth/logout`: ends the session that asks.
    pub async fn logout(&self) -> Result<(), ClientError> {
        self.post(&["auth", "logout"]).done().await
    }

    /// `GET /auth/me`.
    pub async fn me(&self) -> Result<Me, ClientError> {
        self.get(&["auth", "me"]).answer().await
    }

    /// `POST /auth/change-password`.
    pub async fn password_change(&self, body: &PasswordChange) -> Result<Message, ClientError> {
        let call = self.post(&["auth", "change-password"]);
        call.json(body).answer().await
    }

    /// `POST /auth/oidc/begin`.
    pub async fn sign_in_begin(&self, body: &SignInBegin) -> Result<SignInBegun, ClientError> {
        let call = self.post(&["auth", "oidc", "begin"]);
        call.json(body).answer().await
    }

    /// `POST /auth/oidc/redeem`.
    pub async fn sign_in_redeem(&self, body: &SignInRedeem) -> Result<LoggedIn, ClientError> {
        let call = self.post(&["auth", "oidc", "redeem"]);
        call.json(body).answer().await
    }

    /// `GET /users`.
    pub async fn users(&self) -> Result<Vec<User>, ClientError> {
        self.get(&["users"]).answer().await
    }

    /// `POST /users`: the only time a password that was made is shown.
    pub async fn user_create(&self, body: &UserCreate) -> Result<UserCreated, ClientError> {
        self.post(&["users"]).json(body).answer().await
    }

    /// `PATCH /users/{id}`.
    pub async fn user_update(&self, id: UserId, body: &UserUpdate) -> Result<User, ClientError> {
        let call = self.call(Method::PATCH, &["users", &id.to_string()]);
        call.json(body).answer().await
    }

    /// `POST /users/{id}/password`.
    pub async fn user_password(
        &self,
        id: UserId,
        body: &PasswordReset,
    ) -> Result<PasswordWasReset, ClientError> {
        let call = self.post(&["users", &id.to_string(), "password"]);
        call.json(body).answer().await
    }

    /// `DELETE /users/{id}`.
    pub async fn user_delete(&self, id: UserId) -> Result<(), ClientError> {
        self.delete(&["users", &id.to_string()]).done().await
    }

    /// `GET /roles`.
    pub async fn roles(&self) -> Result<Vec<Role>, ClientError> {
        self.get(&["roles"]).answer().await
    }

    /// `PUT /roles/{name}`.
    pub async fn role_set(&self, name: &str, body: &RoleSet) -> Result<Role, ClientError> {
        let call = self.call(Method::PUT, &["roles", name]);
        call.json(body).answer().await
    }

    /// `DELETE /roles/{name}`.
    pub async fn role_delete(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&["roles", name]).done().await
    }

    /// `GET /projects`.
    pub async fn projects(&self) -> Result<Vec<Project>, ClientError> {
        self.get(&["projects"]).answer().await
    }

    /// `GET /projects/{name}`.
    pub async fn project(&self, name: &str) -> Result<Project, ClientError> {
        self.get(&["projects", name]).answer().await
    }

    /// `POST /projects`.
    pub async fn project_create(&self, body: &ProjectCreate) -> Result<Project, ClientError> {
        self.post(&["projects"]).json(body).answer().await
    }

    /// `PATCH /projects/{name}`.
    pub async fn project_update(
        &self,
        name: &str,
        body: &ProjectUpdate,
    ) -> Result<Project, ClientError> {
        let call = self.call(Method::PATCH, &["projects", name]);
        call.json(body).answer().await
    }

    /// `DELETE /projects/{name}`.
    pub async fn project_delete(&self, name: &str) -> Result<(), ClientError> {
        self.delete(&["projects", name]).done().await
    }

    /// `GET /projects/{name}/members`.
    pub async fn members(&self, project: &str) -> Result<Vec<Member>, ClientError> {
        self.get(&["projects", project, "members"]).answer().await
    }

    /// `PUT /projects/{name}/members/{user}`.
    pub async fn member_set(
        &self,
        project: &str,
        user: &str,
        body: &MemberSet,
    ) -> Result<Member, ClientError> {
        let call = self.call(Method::PUT, &["projects", project, "members", user]);
        call.json(body).answer().await
    }

    /// `DELETE /projects/{name}/members/{user}`.
    pub async fn member_delete(&self, project: &str, user: &str) -> Result<(), ClientError> {
        let call = self.delete(&["projects", project, "members", user]);
        call.done().await
    }

    /// `GET /audit`: one page.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Page<AuditEntry>, ClientError> {
        self.get(&["audit"]).query(query).answer().await
    }

    /// `GET /audit/verify`: what the control plane says of it.
    pub async fn audit_verify(&self) -> Result<AuditVerdict, ClientError> {
        self.get(&["audit", "verify"]).answer().await
    }
}
