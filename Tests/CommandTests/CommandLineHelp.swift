/// What `--help` prints, to the letter, so that a change of it is noticed (and of the README with it).
enum CommandLineHelp {
  static let overview = """
    Apus fits models to data that outgrows one machine: HDF5 shards, MPI ranks, one program.

    usage: apus COMMAND [arguments]
           mpirun -n 4 apus train job.json

    commands
      prepare   make a data set of HDF5 shards from CSV or HDF5 files
      generate  make a synthetic data set of HDF5 shards, on all ranks
      train     fit a model to a data set, as a job file says
      stream    learn from rows as they come, as a job file says
      evaluate  loss and metrics of a model on a data set
      predict   predictions of a model for a data set, row for row
      inspect   what a data set, shard, model, checkpoint or run holds
      launch    start a training with mpirun, and again from its newest checkpoint when it crashes
      plan      predict time and memory of a training on a cluster, and name the best layout

    apus COMMAND --help says more; apus --version prints the version.

    """

  static let prepare = """
    make a data set of HDF5 shards from CSV or HDF5 files

    usage: apus prepare [CSV...] [options]

    arguments
      CSV  CSV files with the same columns, also compressed with gzip

    options
      --recipe FILE            what to make of the columns: a prepare.json (JSON5)
      --from DATA              take the rows of a data set or of any HDF5 files, in the place of CSV files
      --trusted                HDF5 files may lead to other files: by links, external storage, virtual data sets
      --target COLUMN          column to predict; all others are features
      --output DIR             directory of the data set
      --task TASK              classification or regression; found out from the target otherwise
      --validation FRACTION    share of the rows for the split validation (default 0)
      --test FRACTION          share of the rows for the split test (default 0.2)
      --seed NUMBER            what the split is drawn from (default 1)
      --sample SIZE            take rows at random: so many, as 10000, or a part of them, as 0.1 or 10%
      --sample-by COLUMN       draw the sample from the rows of each value of a column by itself
      --sample-weight COLUMN   draw the sample with chances by a column of numbers
      --standardize            bring each feature to mean 0 and deviation 1, fitted on the training split
      --missing POLICY         what to do with rows that lack a value: error or drop (default error)
      --missing-value TEXT     text that means no value, beside NA, N/A, nan and null (may be repeated)
      --delimiter CHARACTER    character between fields, or tab; found out otherwise
      --quote CHARACTER        character around fields, or none (default ")
      --decimal CHARACTER      character before the decimals of numbers (default .)
      --thousands CHARACTER    character between groups of three digits
      --comment CHARACTER      pass over lines that start with this character
      --no-header              the first line is a row; the columns are x1, x2 and so on
      --shards NUMBER          shards of the training split; otherwise as many as have 32 MiB at most
      --chunk-rows NUMBER      rows of a chunk in the shards; about 1 MiB otherwise
      --compress               compress the shards (shuffle and deflate)
      --append                 add the rows to the data set in the directory, prepared as its own rows were
      --overwrite              replace the data set that is in the directory
      --dry-run                print what the columns hold and the plan, and write nothing
      --json                   print the plan as JSON
      --count-by COLUMN[,...]  count the rows by the values of columns, and write nothing
      --aggregate WHAT:COLUMN  mean, sum, min or max of a column, for each count (may be repeated)
      --format FORMAT          how counts are printed: table, csv or json (default table)
      --watchdog SECONDS       seconds without progress until it ends with 76; 0: no limit; default: learned
      --help                   print this text

    examples
      apus prepare flowers.csv --target species --output flowers --standardize --test 0.2
      mpirun -n 4 apus prepare 'part-1.csv' 'part-2.csv' --target price --output houses
      apus prepare flowers.csv --target species --dry-run
      apus prepare flowers.csv --count-by species,colour --aggregate mean:petals --format csv
      apus prepare more-flowers.csv --append --output flowers
      mpirun -n 4 apus prepare --from flowers --shards 16 --compress --output flowers-16

    """

  static let generate = """
    make a synthetic data set of HDF5 shards, on all ranks

    usage: apus generate KIND --rows NUMBER --columns NUMBER --output DIR [options]

    arguments
      KIND  linear, logistic, blobs, or teacher (a random network)

    options
      --rows NUMBER          rows of all splits together
      --columns NUMBER       features
      --output DIR           directory of the data set
      --classes NUMBER       classes: 2 for logistic, 3 for blobs, none for teacher otherwise
      --hidden NUMBER        hidden units of a teacher (default 32)
      --noise NUMBER         deviation of values (default 0.1) and in blobs (1); else share of random labels (0)
      --missing SHARE        share of the feature values that are missing (default 0)
      --drift KIND           the relation of features and target changes: abrupt or gradual
      --drift-row ROW        where it changes, or the middle of the change (default half of the rows)
      --drift-width ROWS     rows that a gradual change takes (default a tenth of the rows)
      --validation FRACTION  share of the rows for the split validation (default 0)
      --test FRACTION        share of the rows for the split test (default 0.2)
      --seed NUMBER          what all numbers are drawn from (default 1)
      --shards NUMBER        shards of the training split; otherwise as many as have 32 MiB at most
      --compress             compress the shards (shuffle and deflate)
      --overwrite            replace the data set that is in the directory
      --watchdog SECONDS     seconds without progress until it ends with 76; 0: no limit; default: learned
      --help                 print this text

    The splits follow each other, as in time: training first, test last. dataset.json has the parameters that
    the rows were made by. The same options make the same bytes on any number of ranks.

    examples
      apus generate logistic --rows 100000 --columns 20 --output shards
      mpirun -n 4 apus generate teacher --rows 1e9 --columns 100 --classes 10 --drift gradual --output stream

    """

  static let train = """
    fit a model to a data set, as a job file says

    usage: apus train JOB [options]

    arguments
      JOB  job file (JSON5)

    options
      --set KEY=VALUE  set a key of the job, as optimizer.learning_rate=0.01 (may be repeated)
      --from MODEL     go on from a saved model (a file or a run's directory) with the job's data
      --resume         go on from the newest checkpoint; begin anew where there is none
      --overwrite      replace the run that is in the output directory
      --dry-run        check everything, print the plan, and train nothing
      --help           print this text

    a job file needs data.path and model.kind, and the README lists all keys
      {
        data:   { path: "flowers", validation_split: "test" },
        model:  { kind: "mlp", hidden: [64, 32] },
        train:  { epochs: 20, batch_size: 256 },
        output: "runs/flowers",
      }

    examples
      apus train job.json
      mpirun -n 4 apus train job.json --resume
      apus train job.json --set train.epochs=5 --set output=runs/short --dry-run
      apus train job.json --from runs/march --set data.path=april --set output=runs/april

    """

  static let stream = """
    learn from rows as they come, as a job file says

    usage: apus stream JOB [options]

    arguments
      JOB  job file (JSON5)

    options
      --set KEY=VALUE  set a key of the job, as optimizer.learning_rate=0.01 (may be repeated)
      --resume         go on from the newest checkpoint; begin anew where there is none
      --overwrite      replace the run that is in the output directory
      --dry-run        check the job and its sources, and learn nothing
      --help           print this text

    a job file needs stream.sources and model.kind, and the README lists all keys
      {
        stream:    { sources: "-", target: "class", classes: ["DOWN", "UP"] },
        model:     { kind: "logistic" },
        optimizer: { kind: "sgd", learning_rate: 0.05 },
        drift:     { detector: "adwin", on_drift: "switch" },
        output:    "runs/prices",
      }

    examples
      zcat prices.csv.gz | apus stream job.json
      mpirun -n 4 apus stream job.json --resume
      apus stream job.json --set stream.follow=true --set stream.idle=1m

    """

  static let evaluate = """
    loss and metrics of a model on a data set

    usage: apus evaluate MODEL DATA [options]

    arguments
      MODEL  model file, or the directory of a run
      DATA   data set: a directory, an HDF5 file, a glob; or a raw CSV file (.csv, .tsv) with the target

    options
      --split NAME         split of the data set; test where the data set has splits
      --features NAME      name of the features in HDF5 files without dataset.json
      --targets NAME       name of the targets in HDF5 files without dataset.json
      --non-finite POLICY  numbers that are not finite: fail, skip_row or replace; default: as in training
      --trusted            HDF5 files may lead to other files: by links, external storage, virtual data sets
      --json               print the metrics as JSON
      --watchdog SECONDS   seconds without progress until it ends with 76; 0: no limit; default: learned
      --help               print this text

    examples
      apus evaluate runs/digits-mlp Datasets/digits/shards
      mpirun -n 4 apus evaluate model.safetensors 'new/*.h5' --json
      apus evaluate runs/diamonds new.csv

    """

  static let predict = """
    predictions of a model for a data set, row for row

    usage: apus predict MODEL DATA --output FILE [options]

    arguments
      MODEL  model file, or the directory of a run
      DATA   data set: a directory, an HDF5 file, a glob; or a raw CSV file (.csv, .tsv)

    options
      --output FILE        file to write: .h5 (values, or labels and probabilities) or .csv
      --split NAME         split of the data set; test where the data set has splits
      --features NAME      name of the features in HDF5 files without dataset.json
      --non-finite POLICY  numbers that are not finite: fail, skip_row or replace; default: as in training
      --trusted            HDF5 files may lead to other files: by links, external storage, virtual data sets
      --overwrite          replace the file that is there
      --watchdog SECONDS   seconds without progress until it ends with 76; 0: no limit; default: learned
      --help               print this text

    examples
      apus predict runs/digits-mlp Datasets/digits/shards --output predictions.h5
      mpirun -n 4 apus predict model.safetensors new.csv --output predictions.csv

    """

  static let inspect = """
    what a data set, shard, model, checkpoint or run holds

    usage: apus inspect PATH [options]

    arguments
      PATH  directory of a data set, a run or a checkpoint; a shard, any HDF5 file, or a model file

    options
      --json  print it as JSON
      --help  print this text

    examples
      apus inspect Datasets/digits/shards
      apus inspect runs/digits-mlp/model.safetensors --json

    """

  static let launch = """
    start a training with mpirun, and again from its newest checkpoint when it crashes

    usage: apus launch [options] -- train JOB ...

    arguments
      train JOB ...  the training, with the options of apus train

    options
      --ranks NUMBER           ranks, in proportion fewer where hosts are lost; as mpirun has it otherwise
      --hosts LIST             hosts with their slots, as a:4,b:4; one that cannot be reached is left out
      --restarts NUMBER        restarts without progress after which it is given up (default 3)
      --pause SECONDS          wait before a restart, doubled while there is no progress (default 1)
      --start-limit SECONDS    until the training has begun, or 76; 0: no limit (default twice watchdog.start)
      --report FILE            write the report as JSON, with every attempt
      --mpirun PROGRAM         launcher of the ranks (default mpirun)
      --mpirun-option OPTIONS  more options of the launcher, split at spaces (may be repeated)
      --help                   print this text

    the first start is as written, a restart has --resume; progress is a newer checkpoint
    SIGTERM, SIGINT, SIGUSR1 and SIGUSR2 let the ranks save and end with 75; a second SIGINT does not wait

    examples
      apus launch --ranks 4 -- train job.json --resume
      apus launch --ranks 16 --hosts a:8,b:8 --mpirun-option '--bind-to core' -- train job.json

    """

  static let plan = """
    predict time and memory of a training on a cluster, and name the best layout

    usage: apus plan JOB --ranks NUMBER [options]

    arguments
      JOB  job file (JSON5)

    options
      --ranks NUMBER           ranks of the cluster
      --ranks-per-node NUMBER  ranks of a node (default all)
      --bandwidth SPEED        between nodes, each way, as 10Gbit/s or 1.2GB/s
      --latency TIME           of an empty message between nodes, as 25us
      --memory-per-node BYTES  as 64GiB (default as much as here)
      --machine FILE           plan for the machine that was measured with --save-machine
      --save-machine FILE      write what was measured here, as JSON
      --set KEY=VALUE          set a key of the job (may be repeated)
      --all                    every number of micro-batches, not the best alone
      --json                   print the plan as JSON
      --help                   print this text

    The parts of a step are measured here, in a few seconds, on all ranks that run the command: under
    mpirun with as many ranks as a node will have, what they take from each other is measured too. Nothing
    is trained, and nothing written but the file of --save-machine.

    examples
      apus plan job.json --ranks 4
      mpirun -n 8 apus plan job.json --ranks 64 --ranks-per-node 8 --bandwidth 10Gbit/s --latency 25us
      apus plan job.json --ranks 64 --ranks-per-node 8 --bandwidth 1GB/s --latency 5us --machine node.json

    """

  /// The commands, in the order of the overview.
  static let commands = [
    ("prepare", prepare), ("generate", generate), ("train", train), ("evaluate", evaluate), ("predict", predict),
    ("inspect", inspect), ("launch", launch), ("plan", plan),
  ]
}
