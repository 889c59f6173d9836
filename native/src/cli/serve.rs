//! The flags of `serve`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  emberlab serve                     the page, on this machine alone
  emberlab serve runs/mine --lan     the page with your model, for everybody in this network

Nothing but the page and the model files of these folders is handed out, and nothing is taken in: what
people type stays in their browsers. With --lan whoever is in the network can read the models. Over
plain HTTP browsers offer neither WebGPU nor visits without a network; the CPU engine answers.")]
pub struct ServeArgs {
    /// Run or model folders to serve beside the page
    #[arg(value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// For the whole network: prints the address, and a QR code of it
    #[arg(long)]
    pub lan: bool,
    /// [default: 8080, or the next one that is free]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Folder of the built page [default: the page that was built in, else dist/]
    #[arg(long, value_name = "DIR")]
    pub page: Option<PathBuf>,
}
