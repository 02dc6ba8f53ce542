//! Reading the body of an answer within bounds.

use reqwest::Response;

/// Reads the body of an answer as it comes; `None` if it has more than `most` bytes, the rest of
/// which is not read.
///
/// # Errors
/// If the connection breaks, or the time for the answer is up.
pub async fn body_within(
    mut answer: Response,
    most: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > most {
            return Ok(None);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Some(body))
}
