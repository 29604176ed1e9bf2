//! Listeners and connections.
//!
//! A connection that stalls costs little and not for long: headers must arrive in time and be few, what is written must
//! be read in time, and the number of connections is limited.

use super::{Address, Shared, http};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, Sleep};

/// How long the headers of a request may take, and how long a connection may be idle.
const HEADERS_WITHIN: Duration = Duration::from_secs(30);
/// How long a client may leave an answer unread.
const READS_WITHIN: Duration = Duration::from_secs(30);
const MOST_HEADERS: usize = 100;
/// Bytes of all headers together, and of what is read ahead.
const LONGEST_HEADERS: usize = 64 << 10;
const MOST_CONNECTIONS: usize = 4_096;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("deployment `{deployment}` cannot listen on {host}:{port}: {error}; {help}", help = help(.error))]
pub struct ListenError {
    /// The first deployment declared there.
    pub deployment: String,
    /// As declared.
    pub host: String,
    /// As declared.
    pub port: u16,
    /// What the system says.
    #[source]
    pub error: io::Error,
}

fn help(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "another program listens there: end it, or give the deployment another port: `serve = online(port: ...)`"
        }
        io::ErrorKind::PermissionDenied => "ports below 1024 are for the administrator: take another one",
        io::ErrorKind::AddrNotAvailable => "no network interface of this machine has the address: take another `host`",
        _ => "check `host` and `port` of `serve = online(...)`",
    }
}

/// Ends when it is dropped, or told to.
pub(super) struct Listener {
    pub at: Address,
    pub bound: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Listener {
    /// Begins to listen. Must be called within a tokio runtime.
    pub async fn open(shared: &Arc<Shared>, at: Address, deployment: &str) -> Result<Listener, ListenError> {
        let fail = |error| ListenError { deployment: deployment.to_owned(), host: at.0.clone(), port: at.1, error };
        let socket = TcpListener::bind((at.0.as_str(), at.1)).await.map_err(fail)?;
        let bound = socket.local_addr().map_err(fail)?;
        let (stop, stopped) = watch::channel(false);
        let router = http::router(Arc::clone(shared), at.clone());
        let accepting = tokio::spawn(accept(socket, router, Arc::clone(&shared.connections), stopped));
        Ok(Listener { at, bound, stop, accepting })
    }

    /// Accepts no more connections, and ends those there are after the request they are in. Returns when the address is
    /// free.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // It has nothing left to do but to return.
        let _ = self.accepting.await;
    }
}

/// All connections of a front, to wait for their end and to cut off what does not end.
pub(super) struct Connections {
    room: Arc<Semaphore>,
    cut: watch::Sender<bool>,
}

impl Default for Connections {
    fn default() -> Connections {
        Connections { room: Arc::new(Semaphore::new(MOST_CONNECTIONS)), cut: watch::Sender::new(false) }
    }
}

impl Connections {
    /// Waits until every connection has ended; `false` if some last longer.
    pub async fn ended(&self, within: Duration) -> bool {
        let all = self.room.acquire_many(MOST_CONNECTIONS as u32);
        tokio::time::timeout(within, all).await.is_ok()
    }

    /// Ends every connection, whatever it is in.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }
}

async fn accept(socket: TcpListener, router: Router, connections: Arc<Connections>, mut stop: watch::Receiver<bool>) {
    loop {
        let room = tokio::select! {
            room = Arc::clone(&connections.room).acquire_owned() => room,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let Ok(room) = room else { return };
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (router, stop, cut) = (router.clone(), stop.clone(), connections.cut.subscribe());
                tokio::spawn(async move {
                    connection(stream, router, stop, cut).await;
                    drop(room);
                });
            }
            // The client went away, or there are too many open files: in a moment there may be fewer.
            Err(error) => {
                tracing::warn!("a connection could not be accepted: {error}");
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    mut stop: watch::Receiver<bool>,
    mut cut: watch::Receiver<bool>,
) {
    // Small answers must not wait for more to come; if it cannot be set they do.
    let _ = stream.set_nodelay(true);
    let service = TowerToHyperService::new(router);
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS_WITHIN)
        .max_headers(MOST_HEADERS)
        .max_buf_size(LONGEST_HEADERS)
        .serve_connection(TokioIo::new(Impatient::new(stream)), service);
    let mut serving = std::pin::pin!(serving);
    let mut stopping = false;
    loop {
        tokio::select! {
            // How it ended is the client's business.
            _ = serving.as_mut() => return,
            _ = cut.wait_for(|cut| *cut) => return,
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// A stream that fails when what is written is not read for a while.
struct Impatient {
    stream: TcpStream,
    /// Runs while the client does not read.
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Impatient {
    fn new(stream: TcpStream) -> Impatient {
        Impatient { stream, stalled: None }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, poll: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if poll.is_ready() {
            self.stalled = None;
            return poll;
        }
        let end = Instant::now() + READS_WITHIN;
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep_until(end)));
        ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl AsyncRead for Impatient {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_read(context, into)
    }
}

impl AsyncWrite for Impatient {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.watch(context, poll)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let poll = Pin::new(&mut this.stream).poll_write_vectored(context, bytes);
        this.watch(context, poll)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}
