//! Cases about the API alone, for every target.

mod access;
mod client;
mod collections;
mod refusals;
mod watches;
mod writes;

/// Makes a test of each case.
macro_rules! cases {
    ($($(#[$meta:meta])* $case:ident),+ $(,)?) => {
        #[cfg(test)]
        mod everywhere {
            $(
                $(#[$meta])*
                #[tokio::test]
                async fn $case() -> anyhow::Result<()> {
                    crate::target::everywhere(stringify!($case), super::$case).await
                }
            )+
        }
    };
}
pub(crate) use cases;
