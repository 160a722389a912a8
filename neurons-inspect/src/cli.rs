//! The command line.

use std::io::Write;
use std::process::ExitCode;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{CommandFactory as _, Parser, Subcommand};
use clap_complete::Shell;

use crate::bench::Bench;
use crate::check::Check;
use crate::gallery::Gallery;
use crate::plot::Plot;
use crate::serve::Serve;
use crate::show::Show;
use crate::{Error, Neurons, bench, check, doctor, gallery, list, plot, serve, show};

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default())
    .placeholder(AnsiColor::Cyan.on_default());

/// Shows what was generated for a spiking neuron, and how the neuron behaves.
#[derive(Parser, Debug)]
#[command(name = "neurons", version, styles = STYLES, arg_required_else_help = true, after_help = "\
Examples:
  neurons list                            all neurons
  neurons show lif                        equations, derivatives, memory traffic, kernels
  neurons show lif --rust --template bptt
  neurons plot lif                        response to a current step, written to lif-trace.svg
  neurons plot src/neuron.rs              the same of a declaration that no crate has compiled
  neurons check src/neuron.rs             errors and equations, without compiling a crate
  neurons serve                           all of it in the browser, while a declaration is edited
  neurons doctor                          what runs on this machine")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

/// What to do.
#[derive(Subcommand, Debug)]
enum Command {
    /// List all neurons: states, parameters, resets, templates, embedded kernels
    #[command(after_help = "\
Examples:
  neurons list
  neurons list --json | jq '.[].name'

docs/gallery.md helps you choose one.")]
    List {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a neuron: declaration, equations, derivatives, memory traffic, kernels
    #[command(after_help = "\
Examples:
  neurons show lif
  neurons show src/neuron.rs              a declaration, without a crate around it
  neurons show atan                       a surrogate gradient
  neurons show lif --cuda --template fptt --reset soft
  neurons show ad_ex --latex > adex.tex
  neurons show lif --cuda --complete > lif.cu; nvcc -DF32 --fmad=false --cubin lif.cu
  neurons show lif --ptx --format f16
  neurons show lif --json | jq .derivatives")]
    Show(Show),
    /// Check the declarations in files: errors, warnings, derived equations
    #[command(after_help = "\
Examples:
  neurons check src/neuron.rs
  neurons check src/*.rs --quiet
  echo 'neuron! { struct A { charge = v + y; reset hard; } }' | neurons check -

The exit status is 1 if there are errors.")]
    Check(Check),
    /// Plot the behaviour of a neuron as SVG
    #[command(after_help = "\
Examples:
  neurons plot lif
  neurons plot alif --input noise --set beta=0.5 --out alif.svg
  neurons plot lif --amplitude 2 --set tau=20 --reset soft --steps 200
  neurons plot ad_ex --kind fi
  neurons plot src/neurons.rs:Mine        a declaration, without a crate around it
  neurons plot izhikevich --kind phase --set d=2
  neurons plot lif --kind gradient --surrogate sigmoid
  neurons plot --kind surrogate --out - | rsvg-convert -o surrogates.png

The default input is 1.5 times the rheobase, the weakest constant input that makes the neuron fire.")]
    Plot(Plot),
    /// Serve a page on which a declaration is edited, with its equations, behaviour and kernels beside it
    #[command(after_help = "\
Examples:
  neurons serve
  neurons serve --port 0                  any port that is free

Only this machine can reach the page. It needs no network.")]
    Serve(Serve),
    /// Measure how long each template of a neuron takes on the CPU
    #[command(after_help = "\
Examples:
  neurons bench lif
  neurons bench ad_ex --n 1000000 --format f64
  neurons bench src/neuron.rs             interpreted, which takes longer than what is compiled")]
    Bench(Bench),
    /// Report what this machine has, what will be used, and how to fix what is missing
    #[command(after_help = "The exit status is 0: the CPU runs everything.")]
    Doctor {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write a page with the equations, plots and cost of every neuron
    #[command(after_help = "Example:\n  neurons gallery --out docs --measurements docs/measurements")]
    Gallery(Gallery),
    /// Print completions for a shell
    #[command(after_help = "\
Examples:
  neurons completions bash > ~/.local/share/bash-completion/completions/neurons
  neurons completions zsh > ~/.zfunc/_neurons
  neurons completions fish > ~/.config/fish/completions/neurons.fish")]
    Completions {
        /// Which shell
        shell: Shell,
    },
}

/// Runs the command of the process's arguments for the given neurons.
pub fn run(neurons: &Neurons) -> ExitCode {
    let arguments = Arguments::parse();
    // Whatever is not written to a terminal has no colour; NO_COLOR is heard.
    let (mut out, mut err) = (anstream::stdout().lock(), anstream::stderr().lock());
    match execute(neurons, &arguments.command, &mut out, &mut err)
        .and_then(|is_good| Ok((is_good, out.flush()?)))
    {
        Ok((true, ())) => ExitCode::SUCCESS,
        Ok((false, ())) => ExitCode::FAILURE,
        // `| head` has seen enough.
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            let style = AnsiColor::Red.on_default().bold();
            // There is nowhere left to say it.
            let _ = writeln!(err, "{style}error{style:#}: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is as it should be.
fn execute(
    neurons: &Neurons,
    command: &Command,
    out: &mut dyn Write,
    err: &mut dyn Write,
) -> Result<bool, Error> {
    match command {
        Command::List { json } => list::list(neurons, *json, out)?,
        Command::Show(args) => show::show(neurons, args, out)?,
        Command::Check(args) => return check::check(args, out, err),
        Command::Plot(args) => plot::plot(neurons, args, out, err)?,
        Command::Serve(args) => serve::serve(neurons, args, out)?,
        Command::Bench(args) => bench::bench(neurons, args, out)?,
        Command::Doctor { json } => doctor::doctor(neurons, *json, out)?,
        Command::Gallery(args) => gallery::write(neurons, args, err)?,
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            // A crate with neurons of its own calls the command what it likes.
            let program = std::env::args_os().next().map(std::path::PathBuf::from);
            let name = program.as_deref().and_then(|program| Some(program.file_stem()?.to_str()?.to_owned()));
            let name = name.unwrap_or_else(|| command.get_name().to_owned());
            let mut script = Vec::new();
            clap_complete::generate(*shell, &mut command, name, &mut script);
            out.write_all(&script)?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    neurons::neuron! {
        /// Fires when its own cube says so.
        pub struct Cubic {
            // Not documentation.
            param dt = 0.1 where dt >= 0.0;
            state w = 0.0;

            charge = v + dt * (v - v^3 / 3.0 - w + x);
            update w = w + dt * (v + 0.7 - 0.8 * w) / 12.5;
            reset none;
        }
    }

    /// What the command gives a crate with a neuron of its own.
    fn run(neurons: &Neurons, arguments: &[&str]) -> Result<String, Error> {
        let arguments = Arguments::parse_from([&["inspect"], arguments].concat());
        let (mut out, mut err) = (Vec::new(), Vec::new());
        execute(neurons, &arguments.command, &mut out, &mut err)?;
        Ok(String::from_utf8_lossy(&out).into_owned())
    }

    #[test]
    fn neurons_of_a_crate() {
        let own = Neurons::default().with::<Cubic>();
        let text = run(&own, &["show", "cubic"]).unwrap();
        let declaration = "
  /// Fires when its own cube says so.
  pub struct Cubic {

      param dt = 0.1 where dt >= 0.0;
      state w = 0.0;

      charge = v + dt * (v - v^3 / 3.0 - w + x);
      update w = w + dt * (v + 0.7 - 0.8 * w) / 12.5;
      reset none;
  }
";
        assert!(text.contains(declaration), "{text}");
        assert!(run(&own, &["plot", "cubic", "--kind", "phase", "--out", "-"]).unwrap().contains("</svg>"));
        assert!(matches!(run(&own, &["show", "lif"]), Err(Error::UnknownNeuron { .. })));
        assert!(run(&own.zoo(), &["show", "lif"]).is_ok());
    }
}
