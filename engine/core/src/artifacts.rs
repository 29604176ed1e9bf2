//! Published outputs: content-addressed, read-only files in `state/artifacts/ab/<hex>`.
//!
//! Publishing moves a file out of an attempt's private folder to the name that its bytes have. It is visible at once, so
//! that dependents can start, and durable later: the journal syncs large files before the record that names them, small
//! ones travel inside the record. Nothing trusts a file here unless a synced record names it.

use crate::digest::Digest;
use crate::disk::{self, At, DiskError, Stamp, hash_file, seam};
use crate::executor::ArtifactMeta;
use crate::project::Project;
use crate::record::{Artifact, Millis};
use crate::store::{Store, StoreError};
use std::fs::Permissions;
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Files up to this size travel in the record: one sync for both, and no file to open for a metric.
pub(crate) const INLINE: u64 = 4096;

/// A file system's clock may lag behind or run ahead of ours by a tick, and publishing takes a moment, too.
const SLACK: Millis = 20;

/// A published output.
pub(crate) struct Published {
    /// What the record says of it.
    pub artifact: Artifact,
    /// Its file as it is now.
    pub stamp: Stamp,
    /// To be synced before the record, unless it travels in it.
    pub sync: Option<PathBuf>,
}

/// The bytes that travel with an artifact.
pub(crate) fn inline_of(artifact: &Artifact) -> Option<&[u8]> {
    artifact.inline.as_deref()
}

/// Moves `path`, a file nobody else has open, to where its content belongs.
pub(crate) fn publish(
    project: &Project,
    output: &str,
    path: &Path,
    meta: ArtifactMeta,
) -> Result<Published, DiskError> {
    let found = std::fs::symlink_metadata(path).at("look at", path)?;
    let (digest, size, inline) = if found.len() <= INLINE {
        let bytes = std::fs::read(path).at("read", path)?;
        (Digest::of(&bytes), bytes.len() as u64, Some(bytes))
    } else {
        let (digest, size) = hash_file(path)?;
        (digest, size, None)
    };
    let target = project.artifact(&digest);
    if found.permissions().mode() & 0o7777 != 0o444 {
        std::fs::set_permissions(path, Permissions::from_mode(0o444)).at("protect", path)?;
    }
    if found.nlink() > 1 {
        // Somebody else has a name for these very bytes and could change them: publish a copy of our own.
        let own = path.with_extension("own");
        std::fs::copy(path, &own).at("copy", path)?;
        place(&own, &target)?;
    } else {
        place(path, &target)?;
    }
    let stamp = Stamp::of(&std::fs::symlink_metadata(&target).at("look at", &target)?);
    let sync = inline.is_none().then_some(target);
    Ok(Published { artifact: Artifact { output: output.to_owned(), digest, size, meta, inline }, stamp, sync })
}

/// Renames into the shard, making it if need be. What is there already has the same content, and is replaced in one
/// step, which also mends it should it have rotted. An older record may rest on what is replaced, so that the new file must
/// be durable first: a power cut would else take what was acknowledged long ago.
fn place(from: &Path, target: &Path) -> Result<(), DiskError> {
    if std::fs::symlink_metadata(target).is_ok() {
        seam::sync_file(from)?;
    }
    match seam::rename(from, target) {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if let Some(shard) = target.parent() {
                disk::make_folders(shard)?;
            }
            seam::rename(from, target).at("publish", from)
        }
        result => result.at("publish", from),
    }
}

/// Whether the file of an artifact is there and right; a small one that is not is written again from the record.
///
/// Right means: of the recorded size, and with the stamp it had when its bytes were last known; only if the stamp
/// differs is the file read.
pub(crate) fn is_sound(project: &Project, store: &Store, artifact: &Artifact) -> Result<bool, ArtifactError> {
    let path = project.artifact(&artifact.digest);
    if let Ok(meta) = std::fs::symlink_metadata(&path)
        && meta.is_file()
        && meta.len() == artifact.size
    {
        let stamp = Stamp::of(&meta);
        if store.artifact(&artifact.digest)?.flatten() == Some(stamp) {
            return Ok(true);
        }
        if hash_file(&path).is_ok_and(|(digest, _)| digest == artifact.digest) {
            store.remember_artifact(&artifact.digest, &stamp)?;
            return Ok(true);
        }
    }
    let Some(bytes) = inline_of(artifact) else { return Ok(false) };
    let stamp = materialise(project, &artifact.digest, bytes)?;
    store.remember_artifact(&artifact.digest, &stamp)?;
    Ok(true)
}

/// The same without changing anything and without the stamps of the store: the bytes of a small one are in its record;
/// a large one is read only if something touched its file since it was `made`, or made it writable.
pub(crate) fn looks_sound(project: &Project, artifact: &Artifact, made: Millis) -> bool {
    if artifact.inline.is_some() {
        return true;
    }
    let path = project.artifact(&artifact.digest);
    let Ok(meta) = std::fs::symlink_metadata(&path) else { return false };
    if !meta.is_file() || meta.len() != artifact.size {
        return false;
    }
    let stamp = Stamp::of(&meta);
    let untouched = stamp.modified.max(stamp.changed) <= i128::from(made + SLACK) * 1_000_000;
    let protected = meta.permissions().mode() & 0o777 == 0o444;
    (untouched && protected) || hash_file(&path).is_ok_and(|(digest, _)| digest == artifact.digest)
}

/// Moves a file whose digest was checked to where it belongs, durably.
pub(crate) fn adopt(project: &Project, digest: &Digest, path: &Path) -> Result<(), DiskError> {
    std::fs::set_permissions(path, Permissions::from_mode(0o444)).at("protect", path)?;
    seam::sync_file(path)?;
    let target = project.artifact(digest);
    place(path, &target)?;
    target.ancestors().skip(1).take(2).try_for_each(disk::sync_folder)
}

/// Writes the file of a small artifact from its bytes.
pub(crate) fn materialise(project: &Project, digest: &Digest, bytes: &[u8]) -> Result<Stamp, DiskError> {
    let aside = project.work().join(format!("artifact-{digest}"));
    disk::make_folders(&project.work())?;
    // A leftover of a kill is read-only and cannot be opened for writing.
    disk::remove_tree(&aside)?;
    seam::write_file(&aside, bytes)?;
    std::fs::set_permissions(&aside, Permissions::from_mode(0o444)).at("protect", &aside)?;
    let target = project.artifact(digest);
    place(&aside, &target)?;
    Ok(Stamp::of(&std::fs::symlink_metadata(&target).at("look at", &target)?))
}

/// Reads every artifact that a synced record names; which are gone or damaged. Small ones may come back from their
/// records when they are next needed.
pub(crate) fn verify(project: &Project, store: &Store) -> Result<Vec<Digest>, ArtifactError> {
    let is_damaged = |digest: &Digest| hash_file(&project.artifact(digest)).map_or(true, |(found, _)| found != *digest);
    Ok(store.artifacts()?.into_iter().filter(is_damaged).collect())
}

/// Removes every published file that no synced record names; what it removed.
pub(crate) fn sweep(project: &Project, store: &Store) -> Result<u64, ArtifactError> {
    let mut removed = 0;
    for shard in disk::names(&project.artifacts())? {
        let folder = project.artifacts().join(&shard);
        if !folder.is_dir() {
            disk::remove_tree(&folder)?;
            removed += 1;
            continue;
        }
        for name in disk::names(&folder)? {
            let referenced = match Digest::parse(&name) {
                Some(digest) => store.artifact(&digest)?.is_some(),
                None => false,
            };
            if !referenced {
                disk::remove_tree(&folder.join(&name))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

/// Why artifacts could not be looked after.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ArtifactError {
    /// A file.
    #[error(transparent)]
    Disk(#[from] DiskError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}
