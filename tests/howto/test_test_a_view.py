from __future__ import annotations

import unittest


def test_the_tests_of_the_page_pass(project, django_db_blocker):
    tests = unittest.defaultTestLoader.loadTestsFromModule(project.orders.tests)
    result = unittest.TestResult()
    with django_db_blocker.unblock():
        tests.run(result)
    assert [error for _, error in result.errors + result.failures] == []
    assert result.testsRun == 4
