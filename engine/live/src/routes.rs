//! Where a deployment's requests go.

/// Who answers, and who only sees a copy. Taken over at once and as a whole.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Routes {
    /// Answers whatever the candidate does not. `None`: nobody can answer yet.
    pub stable: Option<u64>,
    /// Answers a share of the requests: version and share, above 0 and at most 1.
    pub candidate: Option<(u64, f64)>,
    /// Sees a copy of a share of the requests; its answers are thrown away: version and share.
    pub mirror: Option<(u64, f64)>,
}

impl Routes {
    /// The version that answers a request whose key falls on `place`, in 0..1. As the share rises, no place that was the
    /// candidate's goes back.
    pub fn answers(&self, place: f64) -> Option<u64> {
        match self.candidate {
            Some((version, share)) if place < share => Some(version),
            _ => self.stable,
        }
    }

    /// The version that sees a copy of that request.
    pub fn copies(&self, place: f64) -> Option<u64> {
        self.mirror.filter(|(_, share)| place < *share).map(|(version, _)| version)
    }
}
