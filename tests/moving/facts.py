"""Facts of a move from 1.1.1: what its user meets, the same as before or different on purpose.

Each is checked by tests of the project in project_1_1_1, or of test_from_1_1_1.py, which it names.
What is different has its sentence in docs/differences.rst.
"""

from __future__ import annotations

from typing import NamedTuple


class Fact(NamedTuple):
    """One line, and the tests that check it."""

    says: str
    tests: str
    #: What docs/differences.rst says of it; "" if nothing is different.
    docs: str = ""

    @property
    def is_same(self) -> bool:
        return not self.docs


#: The rows of "Stops everything".
START = [
    Fact(
        "a migration that depends on 0006_auto_20221215_0847 is found, on an old database and "
        "on a new one",
        "test_each_command_that_reads_the_migrations_runs test_the_projects_own_tests_pass",
    ),
    Fact("a database of 1.1.1 is migrated", "test_migrate_brings_an_old_database_up_to_date"),
    Fact("its rows are as they were", "test_all_that_the_project_kept_is_there"),
    Fact("no further migration is wanted", "test_no_migration_is_missing"),
    Fact("a fixture of 1.1.1 is loaded", "test_a_fixture_of_1_1_1_is_loaded"),
    Fact("the project's migrations are squashed", "test_the_projects_migrations_are_squashed"),
    Fact("the migrations go back", "test_the_migrations_go_back_to_1_1_1_and_to_nothing"),
    Fact(
        "everything is imported from where it was",
        "test_everything_of_1_1_1_is_imported_from_where_it_was "
        "test_what_1_1_1_had_imported_is_imported_from_there "
        "test_they_are_what_their_names_say test_the_queryset_is_derived_from",
    ),
    Fact(
        "the admin's options are lists, its actions are functions",
        "test_the_options_of_the_admin_are_lists "
        "test_the_actions_are_functions_with_descriptions "
        "test_the_actions_are_offered_on_both_pages",
    ),
]

#: The rows of "Opens a door".
HOSTS = [
    Fact(
        "_check_allowed_hosts is asked about the Host, and its False is obeyed",
        "test_a_host_that_the_hook_refuses_is_refused "
        "test_a_refused_host_is_refused_to_a_trusted_origin test_static_hooks_are_asked "
        "test_check_allowed_hosts_is_about_the_host "
        "test_check_allowed_hosts_is_called_on_the_class",
    ),
    Fact(
        "its True admits no other Origin",
        "test_true_about_the_host_admits_no_other_origin "
        "test_check_allowed_hosts_does_not_ask_the_origin",
    ),
    Fact(
        "_check_host_is_in_origin is asked about the Origin",
        "test_check_host_is_in_origin_decides_about_pages "
        "test_check_host_is_in_origin_is_about_the_origin "
        "test_check_host_is_in_origin_is_called_on_the_class "
        "test_an_origin_that_the_hook_refuses_is_refused",
    ),
    Fact(
        "a refusal of a host shows no hosts",
        "test_no_host_is_shown_to_a_client",
        "no host is shown to a client",
    ),
    Fact(
        "patterns in ALLOWED_HOSTS work",
        "test_a_pattern_in_allowed_hosts test_a_star_in_allowed_hosts",
        "Patterns in ``ALLOWED_HOSTS`` (``.example.com``) work",
    ),
    Fact(
        "the Origin is compared as a whole",
        "test_an_origin_that_only_contains_the_host test_an_origin_on_another_port_or_scheme",
        "It is parsed and compared as a whole",
    ),
    Fact(
        "a request without an Origin is refused by _check_host_is_in_origin",
        "test_without_an_origin",
        "Without an Origin ``_check_host_is_in_origin`` is false and raises no ``KeyError``.",
    ),
]

#: The rows of "Breaks at run time".
HOOKS = [
    Fact(
        "_check_platform_registered_api_gateways(request) has one argument",
        "test_check_platform_registered_api_gateways_finds_the_gateway "
        "test_check_platform_registered_api_gateways_refuses "
        "test_check_platform_registered_api_gateways_sets_the_gateway",
    ),
    Fact(
        "each hook is asked once for each event for which it was asked",
        "test_each_hook_of_a_connect_is_asked_once test_each_hook_of_a_message_is_asked_once "
        "test_each_hook_of_a_disconnect_is_asked_once",
    ),
    Fact(
        "each hook has the arguments that it had",
        "test_the_methods_of_the_view_have_their_arguments "
        "test_each_hook_is_overridden_by_a_view_of_the_chat "
        "test_expected_headers_takes_what_dispatch_gives test_refusals_take_what_dispatch_gives",
    ),
    Fact(
        "model is the project's own",
        "test_a_model_of_ones_own_is_left_alone test_the_attributes_of_the_view_have_their_values",
    ),
    Fact(
        "_expected_useragent is asked of messages and of the disconnect, not of a $connect",
        "test_expected_useragent_is_not_asked_when_a_client_connects "
        "test_expected_useragent_is_asked_for_messages_and_the_disconnect "
        "test_expected_useragent_of_aws test_invalid_useragent_answers",
    ),
    Fact(
        "_load_session knows the gateway",
        "test_load_session_knows_the_gateway test_load_session_sets_the_session",
    ),
    Fact(
        "missing_headers answers an unknown gateway",
        "test_missing_headers_answers_missing_headers_and_an_unknown_gateway "
        "test_an_unknown_gateway_is_refused_with_the_text_of_missing_headers",
    ),
    Fact(
        "an own dispatch() calls the hooks itself",
        "test_an_own_dispatch_asks_the_hooks_itself "
        "test_an_own_dispatch_refuses_what_its_hooks_refuse test_connect_makes_the_session "
        "test_connect_refuses_a_page_of_another_site test_disconnect_closes_the_session",
    ),
    Fact(
        "an own dispatch() asks for no CSRF token",
        "test_an_own_dispatch_needs_no_csrf_token",
        "A view with a ``dispatch()`` of its own asks for no CSRF token.",
    ),
    Fact(
        "hooks are called alone, without setup()",
        "test_expected_headers test_expected_connection_headers "
        "test_allowed_apigateway_sets_the_gateway test_an_unknown_gateway_is_not_allowed "
        "test_the_channel_name_of_the_query "
        "test_the_channel_name_without_a_gateway_is_empty test_the_channel_name_of_the_gateway "
        "test_additional_connection_checks_find_nothing "
        "test_add_user_to_request_reads_the_session_of_the_connection",
    ),
    Fact("refusals are HttpResponseBadRequest", "test_refusals_are_bad_requests"),
    Fact(
        "what is not loaded is False",
        "test_what_is_not_loaded_is_false",
    ),
    Fact(
        "setup() tells debug lines",
        "test_setup_tells_its_lines_when_it_is_debugged test_debug_is_told_of_setup "
        "test_debug_is_turned_on_by_as_view test_debug_keeps_lines_only_when_asked "
        "test_one_message_has_no_debug_lines_of_another",
    ),
    Fact("each step tells a debug line", "test_debug_is_told_each_step"),
    Fact(
        "debug = True on the class turns the lines on",
        "test_debug_is_turned_on_by_the_class",
        "``debug = True`` on the class fills ``debug_log``, as ``as_view(debug=True)`` does.",
    ),
    Fact("http_method_names is obeyed", "test_http_method_names_are_obeyed"),
    Fact(
        "only POST is answered",
        "test_another_method_than_post",
        "All methods except POST get a 405.",
    ),
    Fact(
        "an empty action goes to default()",
        "test_an_empty_action_goes_to_default",
    ),
    Fact(
        "own helpers are left alone, in a view and in a proxy",
        "test_helpers_of_ones_own_are_left_alone test_helpers_of_a_proxy_are_left_alone "
        "test_helpers_of_a_proxy_are_left_alone_when_it_is_saved",
    ),
]

HANDLERS = [
    Fact(
        "callables of every shape are handlers",
        "test_a_method_that_a_class_decorates_is_called test_a_partialmethod_is_called "
        "test_a_callable_object_is_called "
        "test_a_method_under_lru_cache_is_called test_a_singledispatchmethod_is_called "
        "test_a_lambda_in_the_class_is_called "
        "test_a_function_that_is_set_on_the_class_later_is_called "
        "test_an_object_that_is_set_on_the_class_later_is_called "
        "test_a_method_that_is_borrowed_later_is_called "
        "test_handlers_that_are_named_like_http_methods_are_called",
    ),
    Fact(
        "what is private, static, of the class, a property or the view's is no handler",
        "test_a_static_method test_a_class_method test_a_property test_a_private_method "
        "test_a_method_of_the_view_that_the_project_overrides "
        "test_the_methods_and_values_of_the_view test_a_client_cannot_disconnect_by_an_action "
        "test_a_value_of_the_class test_a_partial_object",
        "A client can call only :ref:`handlers <handlers>`, not every method of the view.",
    ),
    Fact(
        "a handler may be a coroutine, and may return a dict",
        "test_a_coroutine test_a_dict_that_is_returned",
        "A handler may also return a dict, and may be a coroutine.",
    ),
    Fact(
        "a view without default() refuses unknown actions",
        "test_a_view_without_default",
        "A view without a ``default()`` refuses unknown actions with a 400.",
    ),
    Fact(
        "self.websocket_session counts the message that is handled",
        "test_the_count_in_a_handler",
        "``self.websocket_session.request_count`` counts the message that is being handled.",
    ),
]

CLIENTS = [
    Fact(
        "bad input is no server error",
        "test_a_body_that_is_no_json test_an_action_that_is_no_text "
        "test_a_message_of_an_unknown_connection test_a_channel_name_that_is_too_long",
        "The view never answers a client's input with a 500.",
    ),
    Fact(
        "a closed connection is not served, and a connection id is not used twice",
        "test_a_message_after_the_disconnect test_a_second_connect_with_the_same_id",
        "The messages of a closed connection are refused.",
    ),
    Fact(
        "a message comes from the gateway of its connection",
        "test_a_message_through_another_gateway",
        "The messages of a connection must come from the gateway on which it was opened.",
    ),
    Fact(
        "headers that prove nothing are not asked for",
        "test_a_client_without_extensions test_a_proxy_that_sets_fewer_headers "
        "test_a_page_without_a_cookie",
        "``additional_required_headers`` is empty",
    ),
    Fact(
        "the lists of headers work when a view sets them",
        "test_lists_of_headers_that_a_view_sets_are_asked_for",
    ),
    Fact(
        "the User-Agent is not asked about, unless a view wants it",
        "test_a_message_by_another_useragent test_expected_useragent_of_somebody_else",
        "It is not checked, because AWS sends different ones for different routes.",
    ),
    Fact(
        "an inactive user does not speak",
        "test_the_message_of_an_inactive_user",
        "A message of an inactive user gets a 403.",
    ),
    Fact(
        "a connection ends with its login",
        "test_a_message_after_the_logout",
        "A connection :ref:`ends with its login <who-speaks>`",
    ),
    Fact(
        "connections that are open when the package is changed go on",
        "test_an_open_connection_is_served test_an_open_connection_is_sent_to "
        "test_an_open_connection_ends test_a_new_connection_joins_them",
    ),
    Fact(
        "an error of a handler is raised in a test, and is a 500 to a client",
        "test_an_error_of_a_handler_reaches_the_test_client "
        "test_an_error_of_a_handler_is_a_server_error",
    ),
]

MODELS = [
    Fact(
        "post_save is heard for a connect, each message, a disconnect and a gone connection",
        "test_a_connect_is_heard test_a_message_is_heard test_the_count_of_messages_is_heard "
        "test_a_disconnect_is_heard_last test_a_gone_connection_is_heard_when_it_is_sent_to "
        "test_gone_connections_of_a_queryset_are_heard test_sending_is_not_heard "
        "test_pre_save_hears_a_disconnect_too",
    ),
    Fact(
        "a session needs neither user nor gateway to be valid",
        "test_a_session_without_user_and_gateway_is_valid "
        "test_a_form_of_a_session_needs_neither_user_nor_gateway "
        "test_what_forms_may_leave_empty",
    ),
    Fact("verbose names and help texts", "test_verbose_names test_help_texts"),
    Fact(
        "the sessions of a deleted gateway are closed",
        "test_a_deleted_gateway_leaves_its_sessions",
        "The sessions of a deleted gateway are marked as closed.",
    ),
    Fact(
        "an old copy of a session opens it no more",
        "test_an_old_copy_of_a_session_is_saved",
        "``session.save()`` writes only the columns that have changed.",
    ),
    Fact(
        "a gateway is saved without an endpoint",
        "test_a_gateway_without_an_endpoint",
        "``target_base_endpoint`` may be empty until the gateway is created.",
    ),
]

PROVISIONING = [
    Fact(
        "the results of _create_domain_name and _create_api_mapping are used",
        "test_the_results_of_overridden_steps_are_used test_the_steps_return_what_aws_answers "
        "test_a_domain_is_created_from_the_page_of_the_proxy",
    ),
    Fact(
        "a route of a gateway with a deployment alone is deployed",
        "test_a_route_of_a_gateway_with_a_deployment_alone_is_deployed",
    ),
    Fact(
        "half a pair of keys leaves the credentials to boto3",
        "test_half_a_pair_of_keys_leaves_the_credentials_to_boto3",
    ),
    Fact("a half-made domain is finished", "test_a_half_made_domain_is_finished"),
    Fact(
        "the admin's action finishes a half-made domain",
        "test_a_half_made_domain_is_finished_by_the_action",
        "The action *Create Custom Domain record for the API* finishes a domain that was recorded "
        "as created and has no mapping.",
    ),
    Fact("a finished gateway is told no success", "test_a_finished_gateway_is_told_no_success"),
    Fact(
        "a domain without an API is told as an error",
        "test_a_domain_without_an_api",
        "The action tells an error where it skipped a gateway silently.",
    ),
    Fact(
        "a MagicMock for a client ends",
        "test_a_magicmock_that_answers_nothing_ends "
        "test_create_gateway_creates_the_api_and_its_routes "
        "test_create_custom_domain_records_what_aws_answers",
    ),
    Fact(
        "CreateApi is asked for a WebSocket API alone",
        "test_an_api_is_created_with_a_route_and_a_target",
        "CreateApi is sent no ``RouteKey`` and no ``Target``",
    ),
    Fact(
        "integrations map more than the connection",
        "test_integrations_map_the_connection_alone",
        "Each integration maps",
    ),
    Fact(
        "routes that are made with their gateway are deployed",
        "test_create_gateway_takes_its_routes_along",
        "``deployed`` is set on the routes that are made with their gateway.",
    ),
    Fact(
        "a route of a live gateway waits for the commit",
        "test_a_route_of_a_live_gateway_waits_for_the_commit",
        "A route of a live gateway is deployed after the commit",
    ),
    Fact(
        "the commands raise CommandError",
        "test_create_api_gateway test_an_unknown_gateway",
        "``createApiGateway`` and ``createCustomDomain`` raise ``CommandError`` for an unknown or "
        "finished gateway.",
    ),
]

ADMIN = [
    Fact(
        "filters, date hierarchies, autocompletes and the inline's extra form",
        "test_each_list_has_its_filters test_each_list_is_divided_by_date "
        "test_a_route_finds_its_gateway_by_typing test_autocomplete_fields_are_those_of_1_1_1 "
        "test_a_gateway_has_one_empty_form_for_a_route test_each_list_is_searched",
    ),
    Fact(
        "sessions are not edited",
        "test_a_session_on_its_page test_a_session_is_added_by_hand",
        "Sessions are read-only, and can be closed.",
    ),
    Fact(
        "a created gateway's API is not edited",
        "test_the_fields_of_a_created_gateway",
        "The fields of a created gateway's API are read-only.",
    ),
    Fact(
        "the actions need the permission to change",
        "test_who_may_only_look_is_not_offered_them",
        "The actions need the permission to change gateways.",
    ),
]

SENDING = [
    Fact(
        "mocks of boto3 catch what is sent",
        "test_get_boto3_client_is_patched_and_a_session_sends "
        "test_get_boto3_client_is_patched_and_a_queryset_sends "
        "test_get_boto3_client_is_patched_and_a_manager_sends test_boto3_client_is_patched "
        "test_boto3_of_the_models_is_patched test_a_stubber_answers "
        "test_a_stubber_says_that_a_connection_is_gone "
        "test_a_before_send_hook_catches_the_request test_a_handler_sends_to_the_mock",
    ),
    Fact(
        "send_message returns a report, and no list of boto3's answers",
        "test_what_a_queryset_returns",
        "``send_message`` returns a :ref:`report <report>`.",
    ),
    Fact(
        "an error of one recipient is no exception",
        "test_another_error_of_one_session test_a_session_without_a_gateway",
        "If one recipient fails, the others are still served, and the caller gets no exception.",
    ),
]

FACTS = [
    *START,
    *HOSTS,
    *HOOKS,
    *HANDLERS,
    *CLIENTS,
    *MODELS,
    *PROVISIONING,
    *ADMIN,
    *SENDING,
]
