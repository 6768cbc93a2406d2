//! Signing in at an identity provider: `OpenID` Connect, authorization code flow
//! with PKCE. A leaf: it knows the protocol, and nothing of users, roles or
//! sessions; nothing is kept here but what the provider says of itself.
//!
//! [`Provider::begin`] makes the address to which a browser is sent and three
//! secrets that belong to it; whoever keeps them hands two of them back to
//! [`Provider::finish`] with the code that the browser brought. What must never
//! happen: a token that is believed without its signature, issuer, audience,
//! time and nonce having been verified; a redirect that is followed to
//! wherever a provider points.

mod claims;
mod http;

use std::sync::Arc;
use std::time::{Duration, Instant};

use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreAuthenticationFlow, CoreErrorResponseType,
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
    CoreProviderMetadata, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AuthorizationCode, Client, ClientId, ClientSecret, CsrfToken, EmptyExtraTokenFields,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, IdTokenFields, IssuerUrl, Nonce,
    PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope, StandardErrorResponse,
    StandardTokenResponse,
};
use tokio::sync::Mutex;

use claims::Extra;
pub use claims::Proven;

/// How the provider is reached, and what it is asked.
#[derive(Clone)]
pub struct OidcOptions {
    /// The provider, as it calls itself.
    pub issuer: String,
    /// What it calls us.
    pub client_id: String,
    /// What proves to it that it is us; none: a public client.
    pub client_secret: Option<String>,
    /// Where it sends browsers back to.
    pub redirect_url: String,
    /// What is asked for besides `openid`.
    pub scopes: Vec<String>,
    /// The claim that lists the user's groups.
    pub groups_claim: String,
}

impl std::fmt::Debug for OidcOptions {
    /// Without the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OidcOptions")
            .field("issuer", &self.issuer)
            .field("client_id", &self.client_id)
            .finish_non_exhaustive()
    }
}

/// Why somebody could not be signed in.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    /// An address that is none.
    #[error("'{0}' is not an address")]
    Address(String),
    /// The provider could not be asked.
    #[error("the identity provider could not be asked: {0}")]
    Away(String),
    /// It did not take the code.
    #[error("the identity provider refused: {0}")]
    Refused(String),
    /// What it answered proves nothing.
    #[error("the identity provider's answer proves nothing: {0}")]
    Unproven(String),
}

/// A sign-in that was begun.
#[derive(Clone)]
pub struct Begun {
    /// Where to send the browser.
    pub url: String,
    /// What the browser will bring back.
    pub state: String,
    /// What the provider's token must carry.
    pub nonce: String,
    /// What proves that it was us who began it.
    pub verifier: String,
}

/// How long what the provider says of itself is believed. Its keys change
/// seldom; a key that is unknown makes us ask again at once.
const BELIEVED: Duration = Duration::from_mins(10);

/// An identity provider.
pub struct Provider {
    options: OidcOptions,
    http: reqwest::Client,
    known: Mutex<Option<(Instant, Arc<CoreProviderMetadata>)>>,
}

type Fields = IdTokenFields<
    Extra,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
type TokenAnswer = StandardTokenResponse<Fields, CoreTokenType>;
type Ours = Client<
    Extra,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    TokenAnswer,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

impl Provider {
    /// A provider that is not asked anything yet.
    pub fn new(options: OidcOptions) -> Result<Self, OidcError> {
        RedirectUrl::new(options.redirect_url.clone())
            .map_err(|_| OidcError::Address(options.redirect_url.clone()))?;
        let issuer = IssuerUrl::new(options.issuer.clone());
        issuer.map_err(|_| OidcError::Address(options.issuer.clone()))?;
        let http = http::client().map_err(|error| OidcError::Away(error.to_string()))?;
        Ok(Self {
            options,
            http,
            known: Mutex::new(None),
        })
    }

    /// The provider, as it calls itself.
    pub fn issuer(&self) -> &str {
        &self.options.issuer
    }

    /// Where to send a browser, and what belongs to that.
    pub async fn begin(&self) -> Result<Begun, OidcError> {
        let client = self.client(false).await?;
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let scopes = self.options.scopes.iter().cloned().map(Scope::new);
        let (url, state, nonce) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                CsrfToken::new_random,
                Nonce::new_random,
            )
            .add_scopes(scopes)
            .set_pkce_challenge(challenge)
            .url();
        Ok(Begun {
            url: url.into(),
            state: state.into_secret(),
            nonce: nonce.secret().clone(),
            verifier: verifier.into_secret(),
        })
    }

    /// Who it is, for a code that a browser brought back. A token under a key
    /// that is not known leads to one more look at the provider's keys.
    pub async fn finish(
        &self,
        code: &str,
        verifier: &str,
        nonce: &str,
    ) -> Result<Proven, OidcError> {
        let client = self.client(false).await?;
        let answer = self.exchange(&client, code, verifier).await?;
        let nonce = Nonce::new(nonce.to_owned());
        match self.read(&client, &answer, &nonce) {
            Err(OidcError::Unproven(_)) => {
                let client = self.client(true).await?;
                self.read(&client, &answer, &nonce)
            }
            read => read,
        }
    }

    async fn exchange(
        &self,
        client: &Ours,
        code: &str,
        verifier: &str,
    ) -> Result<TokenAnswer, OidcError> {
        let refused = |error: &dyn std::error::Error| OidcError::Refused(chain(error));
        let request = client
            .exchange_code(AuthorizationCode::new(code.to_owned()))
            .map_err(|error| refused(&error))?
            .set_pkce_verifier(PkceCodeVerifier::new(verifier.to_owned()));
        let send = |request| http::send(self.http.clone(), request);
        request
            .request_async(&send)
            .await
            .map_err(|error| refused(&error))
    }

    fn read(
        &self,
        client: &Ours,
        answer: &TokenAnswer,
        nonce: &Nonce,
    ) -> Result<Proven, OidcError> {
        let unproven = |text: String| OidcError::Unproven(text);
        let token = answer.extra_fields().id_token();
        let token = token.ok_or_else(|| unproven("there is no ID token in it".to_owned()))?;
        let verifier = client.id_token_verifier().set_allowed_algs(SIGNATURES);
        let claims = token.claims(&verifier, nonce);
        let claims = claims.map_err(|error| unproven(chain(&error)))?;
        Ok(Proven::read(claims, &self.options.groups_claim))
    }

    async fn client(&self, anew: bool) -> Result<Ours, OidcError> {
        let metadata = self.metadata(anew).await?;
        let id = ClientId::new(self.options.client_id.clone());
        let secret = self.options.client_secret.clone().map(ClientSecret::new);
        let url = self.options.redirect_url.clone();
        let redirect = RedirectUrl::new(url.clone()).map_err(|_| OidcError::Address(url))?;
        let client = Client::from_provider_metadata(metadata.as_ref().clone(), id, secret);
        Ok(client.set_redirect_uri(redirect))
    }

    async fn metadata(&self, anew: bool) -> Result<Arc<CoreProviderMetadata>, OidcError> {
        let mut known = self.known.lock().await;
        let fresh = known
            .as_ref()
            .filter(|(at, _)| !anew && at.elapsed() < BELIEVED);
        if let Some((_, metadata)) = fresh {
            return Ok(Arc::clone(metadata));
        }
        let issuer = self.options.issuer.clone();
        let issuer = IssuerUrl::new(issuer.clone()).map_err(|_| OidcError::Address(issuer))?;
        let send = |request| http::send(self.http.clone(), request);
        let found = CoreProviderMetadata::discover_async(issuer, &send).await;
        let found = Arc::new(found.map_err(|error| OidcError::Away(chain(&error)))?);
        *known = Some((Instant::now(), Arc::clone(&found)));
        Ok(found)
    }
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.options.fmt(f)
    }
}

/// Signatures that only the provider can make. One made with our own secret
/// (HS256) could be made by anybody who has that.
const SIGNATURES: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// An error and all its causes in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text = format!("{text}: {cause}");
        next = cause.source();
    }
    text
}
