"""functions.*: how an app ends a custom step that a workflow has given it."""

from __future__ import annotations

from bot.workspace.apps import Execution
from bot.workspace.call import Call, Methods
from bot.workspace.model import Json, SlackError
from bot.workspace.shapes import parameters


def _running(call: Call) -> Execution:
    """The execution that is named, if it is this app's and still goes on.

    Raises:
        SlackError: function_execution_not_found, execution_not_in_running_state.
    """
    found = call.workspace.executions.get(call.required("function_execution_id"))
    if found is None or found.app_id != call.app.id:
        raise SlackError("function_execution_not_found")
    if found.status != "running":
        raise SlackError("execution_not_in_running_state")
    return found


def _end(call: Call, execution: Execution, status: str) -> Json:
    execution.status = status
    call.workspace.changes.add("function")
    return {}


def complete_success(call: Call) -> Json:
    """functions.completeSuccess, with the outputs that the function declares as required."""
    execution = _running(call)
    outputs = call.json("outputs", "parameter_validation_failed")
    if outputs is None:
        call.required("outputs")
    declared = call.app.functions.get(execution.callback_id, {}).get("output_parameters", {})
    needed = {one["name"] for one in parameters(declared) if one["is_required"]}
    if not isinstance(outputs, dict) or needed - outputs.keys():
        raise SlackError("parameter_validation_failed")
    execution.outputs = outputs
    return _end(call, execution, "completed")


def complete_error(call: Call) -> Json:
    """functions.completeError, with what a person should read."""
    execution = _running(call)
    execution.error = call.required("error")
    return _end(call, execution, "failed")


METHODS: Methods = {
    "functions.completeSuccess": complete_success,
    "functions.completeError": complete_error,
}
