"""A communicator: MPI by mpi4py."""
