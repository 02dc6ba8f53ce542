//! The two directions of a WAN.

use std::ops::{Index, IndexMut};

use serde::{Deserialize, Serialize};

/// A direction of traffic, seen from the LAN: download comes in, upload goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// From the provider to the LAN.
    Download,
    /// From the LAN to the provider.
    Upload,
}

impl Direction {
    /// Both directions, in the order in which they are shown everywhere.
    pub const ALL: [Self; 2] = [Self::Download, Self::Upload];

    /// Returns the name used in the configuration, in labels and in the history.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
        }
    }

    /// Returns the opposite direction.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Download => Self::Upload,
            Self::Upload => Self::Download,
        }
    }
}

/// One value for each direction.
///
/// `PerDirection<Option<T>>` is a value for each direction that a WAN shapes: at least one. The
/// configuration, the controller and every `Cycle` have it where a direction may be absent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct PerDirection<T> {
    /// The value for the download.
    pub download: T,
    /// The value for the upload.
    pub upload: T,
}

impl<T> PerDirection<T> {
    /// Builds the pair by calling `value` for each direction.
    pub fn build(mut value: impl FnMut(Direction) -> T) -> Self {
        Self { download: value(Direction::Download), upload: value(Direction::Upload) }
    }

    /// Returns both values with their directions, download first.
    pub const fn each(&self) -> [(Direction, &T); 2] {
        [(Direction::Download, &self.download), (Direction::Upload, &self.upload)]
    }
}

impl<T> PerDirection<Option<T>> {
    /// Returns the values that are there with their directions, download first.
    pub fn present(&self) -> impl Iterator<Item = (Direction, &T)> {
        self.each().into_iter().filter_map(|(direction, value)| Some((direction, value.as_ref()?)))
    }

    /// Returns the values that are there with their directions, download first.
    pub fn present_mut(&mut self) -> impl Iterator<Item = (Direction, &mut T)> {
        let Self { download, upload } = self;
        let both = [(Direction::Download, download), (Direction::Upload, upload)];
        both.into_iter().filter_map(|(direction, value)| Some((direction, value.as_mut()?)))
    }

    /// Builds a value from each one that is there; what is absent stays absent.
    pub fn map_present<U>(
        &self,
        mut map: impl FnMut(Direction, &T) -> U,
    ) -> PerDirection<Option<U>> {
        PerDirection::build(|direction| Some(map(direction, self[direction].as_ref()?)))
    }
}

impl<T> Index<Direction> for PerDirection<T> {
    type Output = T;
    fn index(&self, direction: Direction) -> &T {
        match direction {
            Direction::Download => &self.download,
            Direction::Upload => &self.upload,
        }
    }
}

impl<T> IndexMut<Direction> for PerDirection<T> {
    fn index_mut(&mut self, direction: Direction) -> &mut T {
        match direction {
            Direction::Download => &mut self.download,
            Direction::Upload => &mut self.upload,
        }
    }
}
