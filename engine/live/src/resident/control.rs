//! The other end of [`crate::control`]: who may ask, and what is answered.

use super::{Asking, Resident, ResidentError};
use crate::control::{Answer, Request};
use crate::evidence::{EvidenceError, LabelImport, LabelValue};
use crate::home::Home;
use crate::machine::What;
use mlp_core::clock::Clock;
use mlp_core::disk::{At, DiskError};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::{mpsc, oneshot};

/// No request is longer: labels of a few hundred thousand rows.
const LONGEST: u64 = 64 << 20;

/// The socket; gone when it is dropped.
pub(super) struct Socket {
    path: PathBuf,
    listening: tokio::task::JoinHandle<()>,
}

impl Socket {
    /// Listens. Only the holder of the lock calls this, so a socket file that is there was left behind.
    pub fn open(home: &Home) -> Result<(Socket, mpsc::Receiver<Asking>), DiskError> {
        let path = home.socket();
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).at("listen on", &path)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).at("protect", &path)?;
        let (sender, receiver) = mpsc::channel(16);
        let listening = tokio::spawn(async move {
            // An error of accept is one connection's (or too many open files): the next may work.
            loop {
                match listener.accept().await {
                    Ok((stream, _)) => drop(tokio::spawn(converse(stream, sender.clone()))),
                    Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                }
            }
        });
        Ok((Socket { path, listening }, receiver))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.listening.abort();
        let _ = std::fs::remove_file(&self.path);
    }
}

/// One connection: a line in, a line out.
async fn converse(stream: UnixStream, inbox: mpsc::Sender<Asking>) {
    let Some(who) = stream.peer_cred().ok().and_then(|peer| who(peer.uid())) else { return };
    let (reader, mut writer) = stream.into_split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        match (&mut reader).take(LONGEST).read_until(b'\n', &mut line).await {
            Ok(length) if length > 0 && line.ends_with(b"\n") => {}
            _ => return,
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => ask(&inbox, request, who.clone()).await,
            Err(error) => Answer::Refused(format!("this engine does not understand the request: {error}")),
        };
        let Ok(mut text) = serde_json::to_vec(&answer) else { return };
        text.push(b'\n');
        if writer.write_all(&text).await.is_err() {
            return;
        }
    }
}

async fn ask(inbox: &mpsc::Sender<Asking>, request: Request, who: String) -> Answer {
    let (answer, answered) = oneshot::channel();
    let gone = || Answer::Refused("the engine is ending".to_owned());
    if inbox.send(Asking { request, who, answer }).await.is_err() {
        return gone();
    }
    answered.await.unwrap_or_else(|_| gone())
}

/// The name of a user who may ask: the one who started the engine, and the administrator.
fn who(uid: u32) -> Option<String> {
    let own = rustix::process::getuid().as_raw();
    if uid != own && uid != 0 {
        return None;
    }
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    Some(name.unwrap_or_else(|| format!("user {uid}")))
}

impl Resident {
    /// Does what somebody asks. Whether the answer is heard does not matter.
    pub(super) async fn answer(&mut self, asking: Asking) -> Result<(), ResidentError> {
        let answer = match asking.request {
            Request::Hello => Answer::Hello {
                pid: std::process::id(),
                now: self.clock.now(),
                virtual_time: self.clock.is_virtual(),
                listening: self.listening.clone(),
            },
            Request::Story { after } => {
                Answer::Story { lines: crate::control::story(&self.live, after), known: self.live.story().len() }
            }
            Request::RunEnded => {
                self.take_offers().await?;
                self.settle().await?;
                Answer::Done("looked".to_owned())
            }
            Request::Advance { to } => match self.clock.is_virtual() {
                true => {
                    self.advance(to).await?;
                    Answer::Done(mlp_core::clock::rfc3339(self.clock.now()))
                }
                false => Answer::Refused(
                    "its time is the machine's and cannot be moved: start it with `mlp serve --virtual-from TIME`"
                        .to_owned(),
                ),
            },
            Request::Labels { deployment, labels } => self.take_labels(&deployment, labels),
            Request::ImportLabels { deployment, file, shown } => self.import_labels(&deployment, &file, shown),
            Request::Ask { deployment, what } => {
                let refused = self.live.ask(&deployment, &what).err();
                let asked = What::Asked { who: asking.who, what: what.clone(), deployment, refused: refused.clone() };
                self.write(asked).await?;
                match refused {
                    Some(why) => Answer::Refused(why),
                    None => {
                        self.settle().await?;
                        Answer::Done(what.word().to_owned())
                    }
                }
            }
        };
        let _ = asking.answer.send(answer);
        Ok(())
    }

    fn take_labels(&self, deployment: &str, labels: Vec<(String, LabelValue)>) -> Answer {
        let Some(evidence) = self.evidence.get(deployment) else { return unknown(deployment) };
        match tokio::task::block_in_place(|| evidence.put_labels(labels, self.clock.now())) {
            Ok(report) => Answer::Labels(report),
            Err(error) => Answer::Refused(error.to_string()),
        }
    }

    fn import_labels(&self, deployment: &str, file: &Path, shown: String) -> Answer {
        let Some(evidence) = self.evidence.get(deployment) else { return unknown(deployment) };
        let options = LabelImport { shown, delimiter: b',', missing: vec![String::new()], at: self.clock.now() };
        match tokio::task::block_in_place(|| evidence.import_labels(file, &options)) {
            Ok(report) => Answer::Labels(report),
            Err(EvidenceError::Findings(findings)) => Answer::Findings(findings),
            Err(error) => Answer::Refused(error.to_string()),
        }
    }
}

fn unknown(deployment: &str) -> Answer {
    Answer::Refused(format!("no deployment `{deployment}` logs its predictions here"))
}
