"""The loop over gradient steps as learners receive it: PyTorch loads with the first network, not before."""

from typing import Any

from groundup.models.contract import NetworkLoop, NetworkResult


def network_loop(**bound: Any) -> NetworkLoop:
    """Return a loop with all that a run decides (see `groundup.training.networks.NetworkTraining`)."""

    def train_network(*arguments: Any, **options: Any) -> NetworkResult:
        from groundup.training.networks import NetworkTraining

        return NetworkTraining(**bound)(*arguments, **options)

    return train_network
