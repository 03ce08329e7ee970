-- Rows of a site of 4.1.0, made by its models and its view; in the words of every database.

INSERT INTO django_migrations (app, name, applied) VALUES
    ('django_aws_api_gateway_websockets', '0001_initial', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0002_rename_author_websocketsession_user', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0003_auto_20220706_1018', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0004_auto_20221208_1227', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0005_apigatewayadditionalroute_deployed', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0006_auto_20221215_0847', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0007_connectionratelimit_websockettoken', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0008_remove_websockettoken_websocket_t_created_c55db3_idx_and_more', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0009_alter_connectionratelimit_table_and_more', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0010_hash_websockettoken_session_key', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0011_channelpermission_channelpermissionrule', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0012_apigateway_provisioning_status', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0013_apigatewayadditionalroute_aws_ids', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0014_websocketsession_auth_hash_and_more', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0015_alter_apigateway_provisioning_status', '2026-11-01 10:00:00');

INSERT INTO auth_user (
    id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined,
    first_name
) VALUES
    (1, 'md5$ykyFwM0ZDlhqsUQeTQwR7N$48eae6332d06882be4b39d5b5fe52ea7', FALSE, 'alice', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', ''),
    (2, 'md5$ekfHZpQQ7ZBbQ6w3WWrJN0$aa75bb42de55a5a0986518066b93f9e3', FALSE, 'bob', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', ''),
    (3, 'md5$YCdq4SxuL1KlcXqdMHiXH2$6e5df465cd311bc82475e3507dd6182c', FALSE, 'carol', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', '');

INSERT INTO django_session (
    session_key, session_data, expire_date
) VALUES
    ('6qmius3v7jbkmi8nlcxqm6ew428epi3n',
     '.eJxVjDsOwjAQRO_iGln-r01JnzNYXnuDA8iR4qRC3J1ESgHdaN6bebOYtrXGrdMSp8KuTLHLb4cpP6kdoDxSu888z21dJuSHwk_a-TAXet1O9--gpl73NUjA7MgYIBvQC72HXLQd1UgOgpAJgtE-BUc-K-0FKUBhjVQg0AXBPl_NgDbG:1xWz5V:_Zy9TDAAxsn_tsyPMdYUJ5TzoHxmTc19l5j0K1pcIEw',
     '2099-01-01 10:00:00'),
    ('gcb8n83eed9qh4gn578qas0cf6cc4mel',
     '.eJxVjEEOwiAQAP_C2ZC1Wxbq0btvIAssUjU0Ke3J-HdD0oNeZybzVp73rfi9yernpC7qrE6_LHB8Su0iPbjeFx2Xuq1z0D3Rh236tiR5XY_2b1C4lb41MPCIo0yRwZnBCtuJUkCbEVkyETmw1lkRcYRsgoEsITOAy5RQfb7SEjfg:1xWz5U:VtagqTo0EkJpM2batGivWJeCOxOPKYdS_dF6Ks2a2ik',
     '2099-01-01 10:00:00');

INSERT INTO django_aws_api_gateway_websockets_apigateway (
    id, api_name, api_description, default_channel_name, domain_name, target_base_endpoint,
    certificate_arn, hosted_zone_id, api_key_selection_expression, route_selection_expression,
    route_key, stage_name, stage_description, tags, api_id, api_endpoint,
    api_gateway_domain_name, api_mapping_id, api_created, custom_domain_created, created_on,
    updated_on, deployment_id, last_error, provisioning_status
) VALUES
    (1, 'Chat', '', 'lobby', 'ws.example.com', 'https://www.example.com/chat/',
     'arn:aws:acm:eu-west-1:1:certificate/1', '', '$request.header.x-api-key',
     '$request.body.action', '$default', 'production', '', '{"team": "web"}', 'old1',
     'wss://old1.execute-api.eu-west-1.amazonaws.com',
     'd-1.execute-api.eu-west-1.amazonaws.com', 'm1', TRUE, TRUE, '2026-11-01 10:00:00',
     '2026-11-01 10:00:00', 'd1', '', 'mapped'),
    (2, 'Half', '', '', '', 'https://www.example.com/half/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     'half1', 'wss://half1.execute-api.eu-west-1.amazonaws.com', '', '', TRUE, FALSE,
     '2026-11-01 10:00:00', '2026-11-01 10:00:00', '', 'Routes failed: AccessDenied',
     'api_created'),
    (3, 'Unknown', '', '', '', 'https://www.example.com/unknown/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     '', '', '', '', FALSE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', '',
     'Timed out', 'creating'),
    (4, 'Routes', '', '', '', 'https://www.example.com/routes/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     'routes1', '', '', '', TRUE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', '', '',
     'routes_created'),
    (5, 'Domain', '', '', 'two.example.com', 'https://www.example.com/domain/', 'arn:2', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     'dom1', '', '', '', TRUE, TRUE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 'd2',
     'Mapping failed', 'domain_created'),
    (6, 'Finished', '', '', '', 'https://www.example.com/finished/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     'fin1', '', '', '', TRUE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 'd3', '',
     'pending'),
    (7, 'Deployed', '', '', '', 'https://www.example.com/deployed/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     'dep1', '', '', '', TRUE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 'd4', '',
     'deployed'),
    (8, 'News', '', '', '', 'https://www.example.com/news/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     '', '', '', '', FALSE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', '', '',
     'pending');

INSERT INTO django_aws_api_gateway_websockets_apigatewayadditionalroute (
    id, name, route_key, integration_url, created_on, updated_on, api_gateway_id, deployed,
    integration_id, route_id
) VALUES
    (1, 'Join', 'join', 'https://www.example.com/ws/join', '2026-11-01 10:00:00',
     '2026-11-01 10:00:00', 1, TRUE, 'i1', 'r1');

INSERT INTO django_aws_api_gateway_websockets_websocketsession (
    id, connection_id, channel_name, connected, request_count, created_on, updated_on,
    user_id, api_gateway_id, auth_hash, session_key_hash
) VALUES
    (1, 'alice=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 1, 1,
     '4d736c4ba9fb080d425f644d4146aec30b6af00f28d609097d9fa00d4b3224fe',
     '00ad8380b884379e56248d43ef61f0c7bb00098d06cc08e27e9c1b616ae343d9'),
    (2, 'bob=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 2, 1,
     '91485a3263ba92075801fccd046d58a085485e0dcf15f02d3d0c9bf4d29195f4',
     'bccb3bf517242d33b30a94ad9ac96cc0d8cde41f37abbbb2fd8bb50fb077f536'),
    (3, 'guest=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', NULL, 1, '',
     ''),
    (4, 'left=', 'lobby', FALSE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 1, 1,
     '4d736c4ba9fb080d425f644d4146aec30b6af00f28d609097d9fa00d4b3224fe',
     '00ad8380b884379e56248d43ef61f0c7bb00098d06cc08e27e9c1b616ae343d9');

INSERT INTO django_aws_api_gateway_websockets_websockettoken (
    id, token, created_at, used, user_id, session_key
) VALUES
    (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
     '2026-11-01 10:00:00', FALSE, 1,
     'bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb'),
    (2, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',
     '2026-11-01 10:00:00', TRUE, 3, 'dddddddddddddddddddddddddddddddddddddddd');

INSERT INTO django_aws_api_gateway_websockets_connectionratelimit (
    id, ip_address, attempt_time, successful, user_id
) VALUES
    (1, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 1),
    (2, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 2),
    (3, '1.2.3.4', '2026-11-01 10:00:00', TRUE, NULL),
    (4, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 1),
    (5, '1.2.3.4', '2026-11-01 10:00:00', FALSE, NULL);

INSERT INTO django_aws_api_gateway_websockets_channelpermission (
    id, channel_name, access, description, created_on, updated_on
) VALUES
    (1, 'lobby', 'allow_all', '', '2026-11-01 10:00:00', '2026-11-01 10:00:00'),
    (2, 'chiefs', 'superuser_only', '', '2026-11-01 10:00:00', '2026-11-01 10:00:00'),
    (3, 'team', 'staff_only', '', '2026-11-01 10:00:00', '2026-11-01 10:00:00'),
    (4, 'press', 'permissions', '', '2026-11-01 10:00:00', '2026-11-01 10:00:00');

INSERT INTO django_aws_api_gateway_websockets_channelpermissionrule (
    id, channel_permission_id
) VALUES
    (1, 4),
    (2, 4),
    (3, 4);

INSERT INTO django_aws_api_gateway_websockets_channelpermissionrule_permissions (
    id, channelpermissionrule_id, permission_id
) VALUES
    (1, 1, (SELECT id FROM auth_permission WHERE codename = 'add_user')),
    (2, 1, (SELECT id FROM auth_permission WHERE codename = 'change_user')),
    (3, 2, (SELECT id FROM auth_permission WHERE codename = 'view_group'));
