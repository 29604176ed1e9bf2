//! `mlp replay`: plays the past to a deployment.

use super::load::{Purpose, load, overrides};
use super::{project, project_here, run};
use crate::args::{Replay, Run};
use crate::exit::Exit;
use crate::fault::Fault;
use crate::living::{self, Served, pick_deployment};
use crate::render::{live, time};
use crate::screen::Screen;
use mlp_core::executor::Tables;
use mlp_core::predictor::Cells;
use mlp_data::TableReader;
use mlp_data::cells::read_table;
use mlp_lang::live::DeployNode;
use mlp_lang::pipeline::{DataNode, DataSource};
use mlp_lang::types::{Column, Schema, Type};
use mlp_live::clock::LiveClock;
use mlp_live::control::{Answer, Client, Line, Request};
use mlp_live::home::Home;
use mlp_live::replay::{Pace, Played, ReplayError, Row, play, rows};
use std::collections::BTreeMap;
use std::path::Path;

/// Plays rows.
pub fn replay(screen: &Screen, args: &Replay) -> Result<Exit, Fault> {
    match &args.through {
        Some(file) => through(screen, args, file),
        None => {
            let home = Home::of(&project_here(&screen.options)?);
            let (_, live) = super::deploy::read(&home)?;
            let name = pick_deployment(super::deploy::names(&live), args.to.as_deref())?;
            let node = live
                .deployment(&name)
                .map(|it| it.node().clone())
                .ok_or_else(|| Fault::usage(format!("`{name}` is not declared any more")))?;
            let rows = read(args, &node)?;
            tell(screen, play_to(screen, args, &home, &name, &rows, usize::MAX)?)
        }
    }
}

/// The whole loop in this process: the pipeline is run, its deployment lives, the rows are played to it.
fn through(screen: &Screen, args: &Replay, file: &Path) -> Result<Exit, Fault> {
    let loaded = match load(screen, file, &args.params, Purpose::Serve) {
        Ok(loaded) => loaded,
        Err(stopped) => return stopped.end(),
    };
    let project = project(&screen.options, file);
    let nodes = loaded.pipeline.nodes.iter().filter_map(|node| match &node.kind {
        mlp_lang::pipeline::NodeKind::Deploy(deploy) => Some((node.name.clone(), DeployNode::clone(deploy))),
        _ => None,
    });
    let nodes: Vec<(String, DeployNode)> = nodes.collect();
    let name = pick_deployment(nodes.iter().map(|(name, _)| name.as_str()), args.to.as_deref())?;
    let node = nodes.into_iter().find(|(known, _)| *known == name).map(|(_, node)| node);
    let node = node.ok_or_else(|| Fault::usage(format!("there is no deployment `{name}`")))?;
    let rows = read(args, &node)?;
    let Some(first) = rows.first().map(|row| row.at) else {
        return Err(Fault::usage(format!("{} has no row in that time", args.data.display())));
    };
    let home = Home::of(&project);
    let aliases = home.aliases().map_err(Fault::new)?;
    if aliases.serving(&name).is_none() {
        let ended = run::run(screen, &Run::of(file, &args.params))?;
        if !matches!(ended, Exit::Done | Exit::Waiting) {
            return Ok(ended);
        }
    }
    let known = super::deploy::read(&home)?.1.story().len();
    let served = vec![Served {
        file: std::path::absolute(file).unwrap_or_else(|_| file.to_owned()),
        loaded,
        params: overrides(&args.params, file)?.into_iter().collect(),
    }];
    let quiet = Screen { options: crate::args::Options { quiet: true, ..screen.options.clone() } };
    let runtime = living::runtime()?;
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let resident = runtime.block_on(living::start(&quiet, &project, served, LiveClock::standing_at(first)))?;
    screen.print(&living::greeting(&resident))?;
    let lives = runtime.spawn(resident.run(async {
        let _ = stopped.await;
    }));
    let played = play_to(screen, args, &home, &name, &rows, known);
    let _ = stop.send(());
    let ended = runtime.block_on(lives).map_err(|error| Fault::new("the resident engine ended badly").cause(error))?;
    runtime.shutdown_timeout(std::time::Duration::from_millis(500));
    let played = played?;
    ended?;
    tell(screen, played)
}

fn play_to(
    screen: &Screen,
    args: &Replay,
    home: &Home,
    name: &str,
    rows: &[Row],
    known: usize,
) -> Result<Played, Fault> {
    let cannot = |error: ReplayError| {
        let fault = Fault::new("the replay was cut off").cause(&error);
        match error {
            ReplayError::Refused(_) => fault.safe("nothing was changed"),
            _ => fault
                .safe("everything that was answered is in the prediction log")
                .next("start `mlp serve` again and go on with `--from` that time"),
        }
    };
    let mut client = Client::connect(home).map_err(|error| cannot(error.into()))?;
    let hello = client.ask(&Request::Hello).map_err(|error| cannot(error.into()))?;
    let Answer::Hello { listening, now, .. } = hello else {
        return Err(Fault::new("the resident engine answered what this version does not understand"));
    };
    if let Some(first) = rows.first().filter(|row| row.at < now) {
        let (first, now) = (time::absolute(first.at), time::absolute(now));
        return Err(Fault::usage(format!("the first row is of {first}, and `{name}` has lived until {now} already"))
            .safe("nothing was played")
            .next("play later rows with `--from`, or begin anew in another state folder: `--state DIR`"));
    }
    let url = listening.into_iter().find(|(known, _)| known == name).map(|(_, url)| url);
    let url = url.ok_or_else(|| Fault::new(format!("the resident engine does not serve `{name}`")))?;
    let pace = Pace { speed: args.at.0, labels_after: args.labels_after, known };
    let mut tell = |lines: &[Line]| {
        for (at, about, words) in lines {
            let line = match screen.is_json() {
                true => format!("{}\n", live::json_line(*at, about, words)),
                false => live::line(*at, about, words),
            };
            // A reader that has gone away does not stop the replay.
            let _ = screen.print(&line);
        }
    };
    play(&mut client, &url, name, rows, pace, &mut tell).map_err(cannot)
}

fn tell(screen: &Screen, played: Played) -> Result<Exit, Fault> {
    let Played { answered, failed, first_failure, labels } = played;
    if screen.is_json() {
        let document = serde_json::json!({
            "schema": "mlp.replay/1", "answered": answered, "failed": failed, "labels": labels, "first_failure": first_failure,
        });
        screen.print_json(&document, true)?;
    } else {
        screen.print(&format!("played: {answered} rows were answered, {failed} were not, {labels} labels came\n"))?;
        if let Some(why) = &first_failure {
            screen.say(&format!("the first that was not: {}\n", crate::render::text::clean(why)));
        }
    }
    Ok(if answered == 0 && failed > 0 { Exit::Failed } else { Exit::Done })
}

/// The rows to play, checked by what the deployment declares.
fn read(args: &Replay, node: &DeployNode) -> Result<Vec<Row>, Fault> {
    let time = time_column(args, node)?;
    let table = import(&args.data, node, &time)?;
    let rows = rows(&table, node, &time.name).map_err(Fault::usage)?;
    let inside =
        |row: &Row| args.from.is_none_or(|from| row.at >= from) && args.until.is_none_or(|until| row.at < until);
    Ok(rows.into_iter().filter(inside).collect())
}

fn time_column(args: &Replay, node: &DeployNode) -> Result<Column, Fault> {
    let times: Vec<&Column> = node.row.columns.iter().filter(|column| column.ty == Type::Time).collect();
    match (&args.time, times.as_slice()) {
        (Some(name), _) => Ok(Column {
            name: name.clone(),
            ty: Type::Time,
            nullable: false,
            unique: false,
            label: false,
            bounds: Vec::new(),
        }),
        (None, [only]) => Ok((*only).clone()),
        (None, []) => {
            Err(Fault::usage("no column of what is served is a time").next("name the data's column: `--time at`"))
        }
        (None, _) => Err(Fault::usage("several columns of what is served are times").next("name one: `--time at`")),
    }
}

/// Reads the data by the schema of what is served, its label and its time.
fn import(data: &Path, node: &DeployNode, time: &Column) -> Result<BTreeMap<String, Cells>, Fault> {
    let mut columns = node.row.columns.clone();
    for more in node.label.iter().chain([time]) {
        if columns.iter().all(|column| column.name != more.name) {
            columns.push(more.clone());
        }
    }
    let path = data.display().to_string();
    let source = match data.extension().is_some_and(|extension| extension == "parquet") {
        true => DataSource::Parquet { path: path.clone() },
        false => DataSource::Csv { path: path.clone(), delimiter: b',', missing: vec![String::new()] },
    };
    let table = DataNode { schema: Schema { name: None, columns }, source, expectations: Vec::new(), pii: None };
    let folder = tempfile::tempdir().map_err(|error| Fault::new("cannot make a folder for the data").cause(error))?;
    let out = folder.path().join("rows.parquet");
    TableReader.import(&table, data, &path, &out).map_err(|findings| {
        let mut fault = Fault::usage(format!("{path} cannot be played"));
        for finding in findings.iter().take(5) {
            fault = fault.cause(&finding.message);
        }
        fault.next("every row needs what the deployment is asked with")
    })?;
    read_table(&out).map_err(|why| Fault::new(format!("{path} cannot be read: {why}")))
}
