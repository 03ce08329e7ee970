-- Rows of a site of 4.0.0, made by its models and its view; in the words of every database.

INSERT INTO django_migrations (app, name, applied) VALUES
    ('django_aws_api_gateway_websockets', '0001_initial', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0002_rename_author_websocketsession_user', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0003_auto_20220706_1018', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0004_auto_20221208_1227', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0005_apigatewayadditionalroute_deployed', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0006_auto_20221215_0847', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0007_connectionratelimit_websockettoken', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0008_remove_websockettoken_websocket_t_created_c55db3_idx_and_more', '2026-11-01 10:00:00'),
    ('django_aws_api_gateway_websockets', '0009_alter_connectionratelimit_table_and_more', '2026-11-01 10:00:00');

INSERT INTO auth_user (
    id, password, is_superuser, username, last_name, email, is_staff, is_active, date_joined,
    first_name
) VALUES
    (1, 'md5$nOdxQJI7f2Iv6cndrE3bh3$bd5f5ab96b5788202b663f67236c310e', FALSE, 'alice', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', ''),
    (2, 'md5$QPdaKztqWrmrByEXYgUS3t$4cd45f57e5f09d3176fed5375661af0d', FALSE, 'bob', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', ''),
    (3, 'md5$s2fECTufGWNeuiM2AsljHK$e7cf69f0a89ff784f1cd558796b92308', FALSE, 'carol', '', '',
     FALSE, TRUE, '2026-11-01 10:00:00', '');

INSERT INTO django_session (
    session_key, session_data, expire_date
) VALUES
    ('ccmr06kffaso0nxdzg5qdvtuf3xgu743',
     '.eJxVjEsOwjAMBe-SNYocN3UJS_Y9Q2UnDimgVOpnhbg7VOoCtm9m3ssMvK1l2BadhzGZi3Hm9LsJx4fWHaQ719tk41TXeRS7K_agi-2npM_r4f4dFF7Kt84uiCMv2EaAgORVYwIfBNEDYAfUEOQ2ZPJOM5NEd2bOmqgR7Bo07w_FHTda:1xWz5L:r6PlJ1oRHXLDDg2AktTXPv8ein6pWCwmjZlsAW5Qibs',
     '2099-01-01 10:00:00'),
    ('obkr5xl4lj91djzk19j29sk8gycouser',
     '.eJxVjMsOwiAQRf-FtSEwvIpL934DGWCQqoGktCvjv2uTLnR7zzn3xQJuaw3boCXMmZ0ZsNPvFjE9qO0g37HdOk-9rcsc-a7wgw5-7Zmel8P9O6g46rfG6J31Dp0AXaQqWCK66ChNIhVp_aSs8cloAlACgBRJ0kpbKEhGac3eH-MsN3U:1xWz5L:sPKTzBv5qJHVUzfxU7NM-3wSeoURD7lzedvoN6uB9oc',
     '2099-01-01 10:00:00');

INSERT INTO django_aws_api_gateway_websockets_apigateway (
    id, api_name, api_description, default_channel_name, domain_name, target_base_endpoint,
    certificate_arn, hosted_zone_id, api_key_selection_expression, route_selection_expression,
    route_key, stage_name, stage_description, tags, api_id, api_endpoint,
    api_gateway_domain_name, api_mapping_id, api_created, custom_domain_created, created_on,
    updated_on, deployment_id
) VALUES
    (1, 'Chat', '', 'lobby', 'ws.example.com', 'https://www.example.com/chat/',
     'arn:aws:acm:eu-west-1:1:certificate/1', '', '$request.header.x-api-key',
     '$request.body.action', '$default', 'production', '', '{"team": "web"}', 'old1',
     'wss://old1.execute-api.eu-west-1.amazonaws.com',
     'd-1.execute-api.eu-west-1.amazonaws.com', 'm1', TRUE, TRUE, '2026-11-01 10:00:00',
     '2026-11-01 10:00:00', 'd1'),
    (2, 'News', '', '', '', 'https://www.example.com/news/', '', '',
     '$request.header.x-api-key', '$request.body.action', '$default', 'production', '', '{}',
     '', '', '', '', FALSE, FALSE, '2026-11-01 10:00:00', '2026-11-01 10:00:00', '');

INSERT INTO django_aws_api_gateway_websockets_apigatewayadditionalroute (
    id, name, integration_url, created_on, updated_on, api_gateway_id, deployed, route_key
) VALUES
    (1, 'Join', 'https://www.example.com/ws/join', '2026-11-01 10:00:00',
     '2026-11-01 10:00:00', 1, TRUE, 'join');

INSERT INTO django_aws_api_gateway_websockets_websocketsession (
    id, connection_id, channel_name, connected, request_count, created_on, updated_on,
    user_id, api_gateway_id
) VALUES
    (1, 'alice=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 1, 1),
    (2, 'bob=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 2, 1),
    (3, 'guest=', 'lobby', TRUE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', NULL, 1),
    (4, 'left=', 'lobby', FALSE, 1, '2026-11-01 10:00:00', '2026-11-01 10:00:00', 1, 1);

INSERT INTO django_aws_api_gateway_websockets_websockettoken (
    id, token, session_key, created_at, used, user_id
) VALUES
    (1, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
     'ccmr06kffaso0nxdzg5qdvtuf3xgu743', '2026-11-01 10:00:00', FALSE, 1),
    (2, 'cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc',
     'dddddddddddddddddddddddddddddddddddddddd', '2026-11-01 10:00:00', TRUE, 3);

INSERT INTO django_aws_api_gateway_websockets_connectionratelimit (
    id, ip_address, attempt_time, successful, user_id
) VALUES
    (1, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 1),
    (2, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 2),
    (3, '1.2.3.4', '2026-11-01 10:00:00', TRUE, NULL),
    (4, '1.2.3.4', '2026-11-01 10:00:00', TRUE, 1),
    (5, '1.2.3.4', '2026-11-01 10:00:00', FALSE, NULL);
