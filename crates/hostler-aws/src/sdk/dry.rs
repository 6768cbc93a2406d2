//! Dry runs: EC2 answers whether a call would be allowed, as an error either way.

use super::Sdk;
use super::errors::failed;
use crate::cloud::{CloudError, Try};

/// A dry run that would have worked.
const ALLOWED: &str = "DryRunOperation";

impl Sdk {
    pub(super) async fn try_call(&self, of: Try<'_>) -> Result<(), CloudError> {
        let done = match of {
            Try::Launch(launch) => {
                let call = self.run_call(launch).dry_run(true);
                call.send().await.map(drop).map_err(failed)
            }
            Try::Terminate(instance) => {
                let call = self
                    .ec2
                    .terminate_instances()
                    .instance_ids(instance)
                    .dry_run(true);
                call.send().await.map(drop).map_err(failed)
            }
            Try::Tag(instance) => {
                let tag = aws_sdk_ec2::types::Tag::builder()
                    .key("hostler:doctor")
                    .value("1");
                let call = self.ec2.create_tags().resources(instance).tags(tag.build());
                call.dry_run(true).send().await.map(drop).map_err(failed)
            }
        };
        done.or_else(|error| {
            if error.code() == ALLOWED {
                Ok(())
            } else {
                Err(error)
            }
        })
    }
}
