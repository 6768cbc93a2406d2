//! The description of the API, made from the handlers and the table of routes,
//! and the page on which people read it. Nothing is loaded from elsewhere.

use axum::Router;
use axum::http::{HeaderValue, header};
use tower_http::set_header::SetResponseHeaderLayer;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::openapi::server::Server;
use utoipa::openapi::{Components, InfoBuilder, OpenApi, OpenApiBuilder};
use utoipa_swagger_ui::SwaggerUi;

/// The names of the ways to prove oneself.
pub(super) const TOKEN: &str = "token";
pub(super) const NODE_KEY: &str = "node-key";

/// The page's own files, and nothing else.
const PAGE_LOADS: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; \
     img-src 'self' data:; frame-ancestors 'none'";

/// The description before any route is in it.
pub(super) fn description() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Hostler")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("The control plane of a fleet of machines."));
    let mut components = Components::new();
    let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).build();
    components.add_security_scheme(TOKEN, SecurityScheme::Http(bearer));
    let key = ApiKey::Header(ApiKeyValue::new("X-Slave-Token"));
    components.add_security_scheme(NODE_KEY, SecurityScheme::ApiKey(key));
    OpenApiBuilder::new()
        .info(info.build())
        .components(Some(components))
        .build()
}

/// `/openapi.json` and `/docs`.
pub(super) fn pages(mut description: OpenApi, public_url: Option<String>) -> Router {
    description.servers = public_url.map(|url| vec![Server::new(url)]);
    let pages: Router = SwaggerUi::new("/docs")
        .url("/openapi.json", description)
        .into();
    let policy = SetResponseHeaderLayer::overriding(
        header::CONTENT_SECURITY_POLICY,
        HeaderValue::from_static(PAGE_LOADS),
    );
    pages.layer(policy)
}
