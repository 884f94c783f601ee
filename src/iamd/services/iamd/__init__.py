"""iamd's own service: what its command line asks a server, signed, decided and recorded like everything else."""
