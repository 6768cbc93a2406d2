//! What functions may ask of their host (protocol 6.7): to which addresses, on
//! which subjects, in whose buckets. The node asks here before it does
//! anything with its own credentials for somebody else.

mod address;
mod bucket;
mod subject;

pub use address::{AddressRules, Network, address_allowed};
pub use bucket::{Bucket, BucketError, BucketKind};
pub use subject::{SubjectError, subject_allowed};
