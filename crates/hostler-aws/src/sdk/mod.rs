//! The calls over the AWS SDK. Credentials come from where every program of
//! AWS's takes them: environment, profile, the instance's or the task's role.
//!
//! Nothing is tried twice here, and nothing waits for longer than a call of a
//! provider may: whoever calls knows better.

mod autoscaling;
mod cloud;
mod convert;
mod dry;
mod ec2;
mod errors;

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::{Builder, tls};

use crate::settings::Settings;

/// How long one call may take; lists of many pages take several.
const PATIENCE: Duration = Duration::from_secs(8);

/// AWS, over its SDK.
pub(crate) struct Sdk {
    ec2: aws_sdk_ec2::Client,
    groups: aws_sdk_autoscaling::Client,
}

/// The way to AWS. It asks nothing yet: wrong credentials are found by the
/// first call, and said by the doctor.
pub async fn connect(
    settings: &Settings,
) -> Result<std::sync::Arc<dyn crate::cloud::Cloud>, String> {
    let tls = tls::Provider::Rustls(CryptoMode::Ring);
    let http = Builder::new().tls_provider(tls).build_https();
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(3))
        .operation_timeout(PATIENCE)
        .build();
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http)
        .retry_config(RetryConfig::disabled())
        .timeout_config(timeouts);
    if let Some(region) = settings.region.clone() {
        loader = loader.region(Region::new(region));
    }
    if let Some(endpoint) = settings.endpoint.clone() {
        loader = loader.endpoint_url(endpoint);
    }
    let config = loader.load().await;
    if config.region().is_none() {
        return Err("no region is named: set AWS_REGION, or `region` in [aws]".to_owned());
    }
    Ok(std::sync::Arc::new(Sdk {
        ec2: aws_sdk_ec2::Client::new(&config),
        groups: aws_sdk_autoscaling::Client::new(&config),
    }))
}
